using System.Collections.Immutable;
using System.Diagnostics;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.Tests.Proxy;

/// <summary>What the host sees when the worker's process ends, and that it does not end with it.</summary>
public sealed class ProxyTests : IAsyncLifetime
{
    const int Side = 1024;

    static readonly TimeSpan TestTimeout = TimeSpan.FromMinutes(3);

    readonly InferenceClient _client = new(new(Command));
    readonly INnBackend _backend;

    public ProxyTests() => _backend = NnBackends.InWorker(_client).First(backend => backend.Encoding == NnEncoding.Onnx);

    internal static ImmutableArray<string> Command =>
        ["dotnet", Path.Combine(AppContext.BaseDirectory, "millrace.dll"), "nn-worker"];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _client.DisposeAsync();

    void NeedsLibrary() => Skip.IfNot(_backend.WhyAbsent is null, _backend.WhyAbsent);

    // Gives its input back.
    static NnModel Identity(params long[] sizes)
    {
        var graph = new OnnxGraphBuilder();
        var x = graph.AddInput("x", TensorType.F32, [.. sizes]);
        graph.AddOutput("y", graph.AddNode("Identity", [x]), TensorType.F32, [.. sizes]);
        return new([graph.ToModel().Bytes]);
    }

    // Multiplies for minutes.
    static NnModel Endless()
    {
        var graph = new OnnxGraphBuilder();
        var x = graph.AddInput("x", TensorType.F32, [Side, Side]);
        for (var i = 0; i < 3000; i++) x = graph.AddNode("MatMul", [x, x]);
        graph.AddOutput("y", x, TensorType.F32, [Side, Side]);
        return new([graph.ToModel().Bytes]);
    }

    static Tensor Floats(params long[] sizes) => new(TensorType.F32, [.. sizes], new byte[sizes.Aggregate(4L, (a, b) => a * b)]);

    INnContext Busy()
    {
        var context = _backend.Load(Endless()).CreateContext();
        context.SetInput(0, Floats(Side, Side));
        return context;
    }

    void KillWorker()
    {
        using var process = Process.GetProcessById(_client.WorkerId!.Value);
        process.Kill();
        Assert.True(process.WaitForExit(TestTimeout));
    }

    [SkippableFact]
    public void Tensors_of_many_parts_come_through_whole()
    {
        NeedsLibrary();
        var bytes = new byte[40 << 20];
        new Random(5).NextBytes(bytes);
        using var graph = _backend.Load(Identity(10 << 20));
        using var context = graph.CreateContext();

        context.SetInput(0, new(TensorType.F32, [10 << 20], bytes));
        context.Compute(default);

        Assert.True(context.GetOutput(0).Data.Span.SequenceEqual(bytes));
    }

    [SkippableFact]
    public void A_granted_model_is_mapped_by_the_worker_and_refused_when_its_file_was_changed()
    {
        NeedsLibrary();
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, Identity(2).Builders[0].Span);
            var model = new NnModel([]) { Files = [NnFile.Of(path)] };
            using (var graph = _backend.Load(model))
            using (var context = graph.CreateContext())
            {
                context.SetInput(0, Floats(2));
                context.Compute(default);
                Assert.Equal(8, context.GetOutput(0).Data.Length);
            }

            File.AppendAllText(path, "more");
            var refusal = Assert.Throws<NnException>(() => _backend.Load(model));

            Assert.Equal(NnErrno.ModelNotFound, refusal.Errno);
            Assert.Contains("was changed after it was granted", refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [SkippableFact]
    public async Task A_worker_that_is_killed_costs_what_it_computes_an_error_and_the_next_graph_gets_another()
    {
        NeedsLibrary();
        var context = Busy();
        var computing = Task.Run(() => context.Compute(default));
        KillWorker();

        var failed = await Assert.ThrowsAsync<NnException>(() => computing.WaitAsync(TestTimeout));
        var later = Assert.Throws<NnException>(() => context.GetOutput(0));

        Assert.Equal((NnErrno.RuntimeError, NnErrno.RuntimeError), (failed.Errno, later.Errno));
        Assert.Contains("load it again", failed.Message, StringComparison.Ordinal);
        Assert.Contains("the graph with it: load it again", later.Message, StringComparison.Ordinal);
        context.Dispose();
        using var other = _backend.Load(Identity(1));
        Assert.Equal("x", other.Inputs[0].Name);
    }

    [SkippableFact]
    public void Ten_workers_killed_in_a_row_leave_the_host_up()
    {
        NeedsLibrary();
        for (var i = 0; i < 10; i++)
        {
            var graph = _backend.Load(Identity(1));
            KillWorker();
            Assert.Equal(NnErrno.RuntimeError, Assert.Throws<NnException>(graph.CreateContext).Errno);
            graph.Dispose();
        }

        using var last = _backend.Load(Identity(1));
        using var context = last.CreateContext();
        context.SetInput(0, Floats(1));
        context.Compute(default);
    }

    [SkippableFact]
    public async Task A_computation_that_is_cancelled_ends()
    {
        NeedsLibrary();
        using var context = Busy();
        var worker = await _client.WorkerAsync(default);
        using var cancel = new CancellationTokenSource();
        var computing = Task.Run(() => context.Compute(cancel.Token));
        // What is asked now is heard behind the computation.
        Assert.True(SpinWait.SpinUntil(() => worker.Open > 0, TestTimeout));
        _backend.Load(Identity(1)).Dispose();
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => computing.WaitAsync(TestTimeout));
        // By itself: a worker that does not stop would be ended, and would seem to have.
        Assert.True(worker.IsAlive);
    }

    [SkippableFact]
    public void A_damaged_model_costs_its_own_load_an_error()
    {
        NeedsLibrary();
        var whole = Identity(4).Builders[0].ToArray();
        using var kept = _backend.Load(Identity(1));
        var chance = new Random(3);
        for (var i = 0; i < 40; i++)
        {
            var damaged = whole[..chance.Next(whole.Length)];
            if (damaged.Length > 0) damaged[chance.Next(damaged.Length)] ^= (byte)(1 << chance.Next(8));
            try
            {
                _backend.Load(new([damaged])).Dispose();
            }
            catch (NnException e)
            {
                Assert.NotEmpty(e.Message);
            }
        }

        using var context = kept.CreateContext();
    }

    [SkippableFact]
    public async Task A_worker_that_cannot_be_started_is_an_error()
    {
        NeedsLibrary();
        await using var client = new InferenceClient(new(["dotnet", "no-such-program.dll"]));
        var backend = NnBackends.InWorker(client).First(backend => backend.Encoding == NnEncoding.Onnx);

        var failed = Assert.Throws<NnException>(() => backend.Load(Identity(1)));

        Assert.Contains("inference worker", failed.Message, StringComparison.Ordinal);
    }
}
