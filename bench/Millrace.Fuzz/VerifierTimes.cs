using System.Diagnostics;
using System.Globalization;
using System.Text;
using Millrace.Wasm;
using Millrace.Wasm.Compilation;
using Millrace.Wasm.Validation;
using Decoder = Millrace.Wasm.Binary.Decoder;

namespace Millrace.Fuzz;

/// <summary>What the verifier adds to the time of compiling a module.</summary>
static class VerifierTimes
{
    const int Rounds = 15;

    /// <summary>A row for each file, as Markdown: the least of some rounds, for the machine may be busy.</summary>
    public static string Table(IEnumerable<string> files)
    {
        var text = new StringBuilder(
            "| module | bytes | CIL image | decode, validate | compile | verify | share |\n|---|---|---|---|---|---|---|\n");
        foreach (var file in files)
        {
            var bytes = File.ReadAllBytes(file);
            var rounds = Enumerable.Range(0, Rounds).Select(_ => Round(bytes)).ToArray();
            var (read, compiled, verified) = (Least(rounds, one => one.Read), Least(rounds, one => one.Compiled),
                Least(rounds, one => one.Verified));
            text.Append(CultureInfo.InvariantCulture, $"| {Path.GetFileName(file)} | {bytes.Length} | {rounds[0].ImageBytes} ")
                .Append(CultureInfo.InvariantCulture, $"| {read:0.0} ms | {compiled:0.0} ms | {verified:0.0} ms ")
                .Append(CultureInfo.InvariantCulture, $"| {100 * verified / (read + compiled):0} % |\n");
        }

        return text.ToString();
    }

    static (double Read, double Compiled, double Verified, int ImageBytes) Round(byte[] bytes)
    {
        using var engine = new Engine(new() { Features = WasmFeatures.All });
        var clock = Stopwatch.StartNew();
        var definition = Decoder.Decode(bytes);
        Validator.Validate(definition);
        var read = clock.Elapsed.TotalMilliseconds;
        clock.Restart();
        var types = new LinkedTypes(engine, definition);
        var image = ModuleCompiler.ImageOf(engine, definition, types)!;
        var compiled = clock.Elapsed.TotalMilliseconds;
        clock.Restart();
        ModuleCompiler.Verify(engine, definition, image, types.Slots);
        return (read, compiled, clock.Elapsed.TotalMilliseconds, image.Length);
    }

    static double Least<T>(T[] rounds, Func<T, double> value) => rounds.Min(value);
}
