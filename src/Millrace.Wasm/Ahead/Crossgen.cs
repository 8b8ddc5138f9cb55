using System.Diagnostics;
using System.Globalization;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;

namespace Millrace.Wasm.Ahead;

/// <summary>
/// crossgen2 as a child process. What it compiles is as hostile as its module: it gets so much time and memory, the
/// lowest priority, and nothing of this process's environment.
/// </summary>
static class Crossgen
{
    /// <summary>Address space of the child, most of which its collector only reserves.</summary>
    public const long AddressBytesMax = 8L << 30;

    const long HeapBytesMax = 1L << 30; // what of it may hold its objects
    const int SaidCharsMax = 4096;
    const int DebugDirectory = 6; // its place among the directories of a PE header

    // Its input never says anything; where it ends, this process has closed it, or is no more: then the compiler ends too.
    internal const string Watched = """
        exec 3<&0
        nice -n 19 "$0" "$@" < /dev/null 3<&- & compiler=$!
        { read -r _; kill -9 $compiler; } <&3 > /dev/null 2>&1 & watch=$!
        exec 3<&-
        wait $compiler; code=$?
        kill $watch 2> /dev/null
        exit $code
        """;

    static readonly string Program = Path.Combine(AppContext.BaseDirectory, "crossgen2", "crossgen2");

    static readonly string EnginePath = PathOf(typeof(Crossgen));

    static readonly string CorePath = PathOf(typeof(object));

    /// <summary>Why there is no compiler; null: there is one.</summary>
    public static string? Missing { get; } = FindMissing();

    /// <summary>Compiles an image. Answers how many of its methods are left to the JIT.</summary>
    /// <param name="folder">Where the image is, and where its machine code goes.</param>
    /// <param name="input">Name of the image.</param>
    /// <param name="output">Name of what comes out.</param>
    /// <param name="time">How long it may take.</param>
    /// <param name="addressBytes">How much address space.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="AheadException">It failed, or took more than it may.</exception>
    public static int Compile(
        string folder, string input, string output, TimeSpan time, long addressBytes, CancellationToken cancel)
    {
        CopyEngine(folder);
        using var child = Process.Start(Command(folder, input, output, time, addressBytes))!;
        var (errors, remaining) = (HearAsync(child.StandardError), CountAsync(child.StandardOutput));
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(time);
        using var kill = deadline.Token.Register(child.StandardInput.Close);
        child.WaitForExit();
        var said = errors.GetAwaiter().GetResult();
        cancel.ThrowIfCancellationRequested();
        if (deadline.IsCancellationRequested)
        {
            throw new AheadException(string.Create(CultureInfo.InvariantCulture,
                $"crossgen2 was stopped after {time.TotalSeconds:0} s; the module stays with the JIT"));
        }
        if (child.ExitCode != 0) throw new AheadException(Failure(child.ExitCode, said));
        return remaining.GetAwaiter().GetResult();
    }

    // It must be the very engine that runs: the image takes over its helpers and the layout of its classes. A newer
    // build may lie where this one was loaded from.
    static void CopyEngine(string folder)
    {
        var engine = File.ReadAllBytes(EnginePath);
        using var file = new PEReader(new MemoryStream(engine));
        var metadata = file.GetMetadataReader();
        if (metadata.GetGuid(metadata.GetModuleDefinition().Mvid) != CacheKey.Engine)
            throw new AheadException($"{EnginePath} is not the build that runs any more; start again");
        // Without the way to its debugging symbols, which crossgen2 would open, and find in the hands of a build.
        var header = file.PEHeaders.PEHeader!;
        var directories = file.PEHeaders.PEHeaderStartOffset + (header.Magic == PEMagic.PE32Plus ? 112 : 96);
        engine.AsSpan(directories + (DebugDirectory * 2 * sizeof(int)), 2 * sizeof(int)).Clear();
        File.WriteAllBytes(Path.Combine(folder, Path.GetFileName(EnginePath)), engine);
    }

    static ProcessStartInfo Command(string folder, string input, string output, TimeSpan time, long addressBytes)
    {
        // One that cannot be set is below that already.
        var limits = string.Create(CultureInfo.InvariantCulture,
            $"ulimit -v {addressBytes >> 10}; ulimit -t {Math.Ceiling(time.TotalSeconds) * 2:0}; ulimit -c 0");
        var start = new ProcessStartInfo("/bin/sh",
        [
            "-c", $"{limits}\n{Watched}", Program, input, "-o", output,
            "-r", Path.Combine(Path.GetDirectoryName(CorePath)!, "*.dll"), "-r", Path.GetFileName(EnginePath),
            // The image and the engine are one to the compiler: helpers are inlined, places of fields are known. What
            // the runtime does not check of that, the key does.
            "--inputbubble", "--inputbubbleref", Path.GetFileName(EnginePath),
            "--targetos", "linux", "--targetarch", Architecture(), "-O", "--verbose",
            .. CacheKey.InstructionSet is { } set ? (string[])["--instruction-set", set] : [],
        ])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/bin:/bin";
        start.Environment["TMPDIR"] = folder;
        start.Environment["DOTNET_GCHeapHardLimit"] = HeapBytesMax.ToString("x", CultureInfo.InvariantCulture);
        start.Environment["DOTNET_gcServer"] = "0";
        return start;
    }

    static string Architecture() => RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        _ => "x64",
    };

    // Its words name each method it compiles; those it gives up are told by a sentence.
    static async Task<int> CountAsync(StreamReader output)
    {
        using var _ = output;
        var count = 0;
        while (await output.ReadLineAsync().ConfigureAwait(false) is { } line)
            if (line.Contains("was not compiled because", StringComparison.Ordinal)) count++;
        return count;
    }

    static async Task<string> HearAsync(StreamReader errors)
    {
        using var _ = errors;
        var said = "";
        while (await errors.ReadLineAsync().ConfigureAwait(false) is { } line)
            if (said.Length < SaidCharsMax) said += line + "\n";
        return said;
    }

    static string Failure(int exitCode, string said)
    {
        var words = said.Trim().Split('\n')[0];
        return string.Create(CultureInfo.InvariantCulture,
            $"crossgen2 ended with {exitCode}{(words.Length == 0 ? "" : $": {words}")}; the module stays with the JIT");
    }

    static string? FindMissing()
    {
        if (!OperatingSystem.IsLinux()) return "crossgen2 is used on Linux only";
        if (EnginePath.Length == 0) return "the engine is not a file of its own, which crossgen2 could read";
        return File.Exists(Program) ? null : "there is no crossgen2 beside the program";
    }

    static string PathOf(Type type) => type.Assembly.Location;
}
