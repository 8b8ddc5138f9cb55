using System.Globalization;
using System.Text;
using Millrace.Wasm;
using Millrace.Wasm.Binary;

namespace Millrace.Bench.Kernels;

/// <summary>The kernels with one check after another switched off, in turn.</summary>
static class CheckBench
{
    static readonly (string Name, EngineOptions Options)[] Rows =
    [
        ("all checks", new()),
        ("no bounds", new() { Without = SafetyCheck.MemoryBounds, IsVerified = false }),
        ("no stack", new() { Without = SafetyCheck.StackLimit, IsVerified = false }),
        ("no interrupts", new() { Without = SafetyCheck.LoopInterrupts, IsVerified = false }),
        ("guard pages", new() { MemoryChecks = MemoryChecks.Guarded }),
        ("and fuel", new() { IsMetered = true }),
    ];

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        var wasm = await File.ReadAllBytesAsync(KernelProcess.Shipped("kernels.wasm"), plan.Cancel);
        List<KernelEngine> engines = [.. Rows.Select(row => new OwnKernels(row.Name, row.Options, wasm))];
        var times = new Dictionary<string, Samples[]>();
        foreach (var kernel in ((OwnKernels)engines[0]).Kernels)
        {
            plan.Screen.Note($"  {kernel}");
            times.Add(kernel, await KernelBench.MeasureAsync(kernel, engines, plan.Cancel));
        }
        engines.ForEach(engine => engine.Dispose());
        return new("Cost of the safety checks",
            $"""
            The kernels, compiled anew with one check left out, by a switch that only this program has; measured as they
            are, in turn. A column is its time over that with all checks, so 0.90 means that the check costs a tenth;
            *and fuel* has all of them and counts instructions besides. Differences below a tenth may be chance.

            {Table(times)}
            """,
            [.. Rows.Select((row, i) => new Figure(
                $"{row.Name}, over all checks: geometric mean; largest", KernelBench.Ratios(times, i, 0))).Skip(1)]);
    }

    static string Table(Dictionary<string, Samples[]> times)
    {
        var text = new StringBuilder("| | all checks, ms |");
        foreach (var (name, _) in Rows.Skip(1)) text.Append(CultureInfo.InvariantCulture, $" {name} |");
        text.Append("\n|---|").Insert(text.Length, "---:|", Rows.Length);
        foreach (var (kernel, samples) in times)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n| {kernel} | {Samples.Number(samples[0].P50Ms, "")} |");
            foreach (var each in samples.Skip(1))
                text.Append(CultureInfo.InvariantCulture, $" {Samples.Number(each.P50Ms / samples[0].P50Ms, "")} |");
        }
        return text.ToString();
    }
}
