using System.Globalization;
using Millrace.Bench.Kernels;

namespace Millrace.Bench.Figure1;

/// <summary>Builds and runs the programs of the figure that are not ours: C, Java, Python.</summary>
/// <param name="folder">Where they are built.</param>
sealed class MatrixProcess(string folder)
{
    public const string Plain = "plain", Optimised = "optimised", Vectorised = "vectorised", AsWritten = "as-written";

    // As written: what the compiler does by itself is off, so that it compares with the modules.
    static readonly Dictionary<string, string[]> Builds = new()
    {
        [Plain] = ["-O0"],
        [Optimised] = ["-O2"],
        [Vectorised] = ["-O3", "-march=native", "-ffast-math"],
        [AsWritten] = ["-O3", "-fno-tree-vectorize", "-ffp-contract=off"],
    };

    /// <summary>Null, or why there is no C here.</summary>
    public async Task<string?> BuildCAsync()
    {
        foreach (var (name, options) in Builds)
        {
            string[] rest = ["-std=gnu11", "-w", "-pthread", KernelProcess.Shipped("matmul.c"), "-o", Path.Combine(folder, name)];
            if (await OutputAsync("gcc", [.. options, .. rest]) is null) return "no gcc is installed";
        }
        return null;
    }

    /// <summary>Null, or why there is no Java here.</summary>
    public async Task<string?> BuildJavaAsync() =>
        await OutputAsync("javac", "-d", folder, KernelProcess.Shipped("Matmul.java")) is null ? "no javac is installed" : null;

    public Task<MatrixAnswer> CAsync(string build, string step, int n, int rows, int threads) =>
        AnswerAsync(Path.Combine(folder, build), step, Text(n), Text(rows), Text(threads));

    public Task<MatrixAnswer> JavaAsync(int n, int rows) =>
        AnswerAsync("java", "-Xmx4g", "-cp", folder, "Matmul", Text(n), Text(rows));

    public static Task<MatrixAnswer> PythonAsync(int n, int rows) =>
        AnswerAsync("python3", KernelProcess.Shipped("matmul.py"), Text(n), Text(rows));

    /// <summary>What fused multiply-adds in registers alone reach on so many threads: GFLOPS, and the bits of the vectors.</summary>
    public async Task<(double Gflops, int Bits)> PeakAsync(int threads)
    {
        var words = (await OutputAsync(Path.Combine(folder, Vectorised), "peak", Text(threads)))!.Split(' ');
        return (Number(words[2]) / Number(words[0]), 64 * (int)Number(words[1]));

        static double Number(string word) => double.Parse(word, CultureInfo.InvariantCulture);
    }

    /// <summary>The last word of what a program says its version is; null where there is none.</summary>
    public static async Task<string?> VersionAsync(string program, string option) =>
        (await OutputAsync(program, option))?.Split('\n')[0].Split(' ')[^1];

    static async Task<MatrixAnswer> AnswerAsync(string program, params string[] arguments)
    {
        var text = await OutputAsync(program, arguments) ?? throw new InvalidOperationException($"{program} is gone");
        var words = text.Split(' ').Select(word => long.Parse(word, CultureInfo.InvariantCulture)).ToArray();
        return new(TimeSpan.FromMicroseconds(words[0] / 1000.0), words[1], words[2]);
    }

    static Task<string?> OutputAsync(string program, params string[] arguments) =>
        KernelProcess.OutputAsync(program, arguments);

    static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);
}
