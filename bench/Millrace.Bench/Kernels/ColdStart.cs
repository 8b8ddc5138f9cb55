using System.Diagnostics;
using System.Globalization;
using Millrace.Cli;
using Millrace.Wasm;

namespace Millrace.Bench.Kernels;

/// <summary>From the bytes of a large module, never seen before, to its first call of the host.</summary>
static class ColdStart
{
    const int Rounds = 25;

    public static async Task<Figure[]> MeasureAsync(KernelProcess? other, CancellationToken cancel)
    {
        var path = Path.Combine(Shipped.Guest("code_review"), "code_review.wasm");
        var bytes = await File.ReadAllBytesAsync(path, cancel);
        var (compiling, own, others) = (new Samples(), new Samples(), new Samples());
        for (var i = -3; i < Rounds; i++)
        {
            cancel.ThrowIfCancellationRequested();
            var (compiled, all) = Own(bytes, i);
            var theirs = other is null ? TimeSpan.Zero : Theirs(await other.AskAsync($"cold {path} {i + 3}"));
            if (i < 0) continue;
            compiling.Add(compiled);
            own.Add(all);
            others.Add(theirs);
        }

        var name = $"`code_review.wasm`, {bytes.Length:#,0} bytes";
        Figure[] figures =
        [
            new($"{name}: compiled (decode, validate, CIL, load), p50", Speed(compiling, bytes.Length)),
            new("to its first call of the host, p50", Speed(own, bytes.Length)),
        ];
        return other is null ? figures
            : [.. figures, new($"the same, {other.Name}", Speed(others, bytes.Length)),
                new("ratio", Samples.Number(own.P50Ms / others.P50Ms, ""))];
    }

    static (TimeSpan Compiled, TimeSpan All) Own(byte[] bytes, int number)
    {
        // A custom section, as in the other engine.
        byte[] fresh = [.. bytes, 0, 5, 1, (byte)'n', (byte)number, 0, 0];
        var began = Stopwatch.GetTimestamp();
        using var engine = new Engine();
        var module = Module.Compile(engine, fresh);
        var compiled = Stopwatch.GetElapsedTime(began);
        using var store = new Store(engine);
        var instance = new Linker(engine) { TrapUnknownImports = true }.Instantiate(store, module);
        try
        {
            instance.FindFunction("_start")!.Call();
        }
        catch (TrapException trap) when (trap.Code == TrapCode.UnknownImport)
        {
            return (compiled, Stopwatch.GetElapsedTime(began));
        }
        throw new InvalidOperationException("the module never called the host");
    }

    static TimeSpan Theirs(string answer) =>
        TimeSpan.FromMicroseconds(long.Parse(answer.Split(' ')[0], CultureInfo.InvariantCulture) / 1000.0);

    static string Speed(Samples samples, int bytes) =>
        $"{samples.Ms(0.5)}, {Samples.Number(bytes / 1000.0 / samples.P50Ms, "MB/s")}";
}
