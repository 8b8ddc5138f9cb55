using Millrace.Bench.Ahead;
using Millrace.Bench.Figure1;
using Millrace.Bench.Inference;
using Millrace.Bench.Kernels;
using Millrace.Bench.Llama2;
using Millrace.Bench.Networks;
using Millrace.Bench.Programs;
using Millrace.Cli;

namespace Millrace.Bench;

/// <summary>How much is measured, and where.</summary>
/// <param name="Screen">Tells how far it is.</param>
/// <param name="Samples">Samples of webhooks and reviews.</param>
/// <param name="Reviews">Reviews before memory is read.</param>
/// <param name="Folder">Where data folders are made.</param>
/// <param name="Plots">Where plots are written.</param>
/// <param name="Cancel">Breaks it off.</param>
sealed record BenchPlan(Screen Screen, int Samples, int Reviews, string Folder, string Plots, CancellationToken Cancel)
{
    /// <summary>A folder of test models; null where none is given.</summary>
    public string? Models { get; init; }
}

/// <summary>One thing that is measured.</summary>
sealed record Bench(string Name, Func<BenchPlan, Task<Section>> Run)
{
    public static readonly Bench[] All =
    [
        new("webhook", WebhookBench.RunAsync),
        new("review", ReviewBench.RunAsync),
        new("instance", InstanceBench.RunAsync),
        new("deploys", DeploysBench.RunAsync),
        new("ahead", AheadBench.RunAsync),
        new("worker", WorkerBench.RunAsync),
        new("inference", InferenceBench.RunAsync),
        new("api", ApiBench.RunAsync),
        new("threads", ThreadBench.RunAsync),
        new("networks", NetworkBench.RunAsync),
        new("llama2", Llama2Bench.RunAsync),
        new("kernels", KernelBench.RunAsync),
        new("checks", CheckBench.RunAsync),
        new("parallel", ParallelBench.RunAsync),
        new("pauses", PauseBench.RunAsync),
        new("figure1", FigureBench.RunAsync),
        new("programs", ProgramBench.RunAsync),
        new("memory", MemoryBench.RunAsync),
    ];
}
