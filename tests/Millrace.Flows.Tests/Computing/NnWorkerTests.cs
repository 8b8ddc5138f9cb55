using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using Millrace.Flows.Manifests;
using Millrace.Inference;
using Millrace.Nn;

namespace Millrace.Flows.Tests.Computing;

/// <summary>Flows that write texts with a GGUF model in the real worker, which may be killed.</summary>
public sealed class NnWorkerTests : IAsyncLifetime
{
    // Long enough for a worker to be killed while it writes.
    const string Options = """{"temp":0,"n-predict":64,"ctx-size":512}""";

    readonly string _data = Directory.CreateTempSubdirectory("millrace-nn-worker-").FullName;
    readonly InferenceClient _client = new(new(["dotnet", Path.Combine(AppContext.BaseDirectory, "millrace.dll"), "inference-worker"]));
    readonly InferenceClient _tensors = new(new(["dotnet", Path.Combine(AppContext.BaseDirectory, "millrace.dll"), "nn-worker"]));
    readonly CountingBackend _texts;

    public NnWorkerTests() =>
        _texts = new(NnBackends.InWorker(_tensors, _client).First(backend => backend.Encoding == NnEncoding.Ggml));

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _tensors.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    [SkippableFact]
    public async Task A_text_comes_through_a_worker_that_is_killed_while_it_writes()
    {
        await using var platform = await OpenAsync();
        var undisturbed = await RunAsync(platform);
        _texts.OnCompute = cancel =>
        {
            _texts.OnCompute = _ => { };
            KillSoon();
        };

        var disturbed = await RunAsync(platform);

        Assert.Equal(RunOutcome.Completed, undisturbed.Run.Summary.Outcome);
        Assert.Equal(RunOutcome.Completed, disturbed.Run.Summary.Outcome);
        Assert.NotEmpty(undisturbed.Text);
        Assert.Equal(undisturbed.Text, disturbed.Text);
        // Loaded as it was granted and with its options, then once more; computed twice, and the flow has asked once.
        Assert.Equal((3, 3), (_texts.Loads, _texts.Computes));
        Assert.Equal(["nn.load", "nn.compute"], disturbed.Run.Operations.Select(operation => operation.Name));
    }

    [SkippableFact]
    public async Task A_worker_that_dies_of_every_attempt_is_error_5_and_the_next_run_gets_another()
    {
        await using var platform = await OpenAsync();
        _texts.OnCompute = _ => KillSoon();

        var failed = await RunAsync(platform);
        _texts.OnCompute = _ => { };
        var next = await RunAsync(platform);

        Assert.Equal((RunOutcome.Failed, 5), (failed.Run.Summary.Outcome, failed.Run.Summary.ExitCode));
        Assert.Contains("worker", failed.Run.Operations[1].Result, StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Completed, next.Run.Summary.Outcome);
        Assert.NotEmpty(next.Text);
    }

    [SkippableFact]
    public async Task A_text_is_told_again_from_the_journal_without_an_engine()
    {
        var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Platform? first = null;
        first = await OpenAsync((point, operation) =>
        {
            lock (killed) if (killed.Task.IsCompleted || $"{point} {operation}" != "after-commit nn.compute") return;
            first!.Crash();
            killed.TrySetResult();
            throw new OperationCanceledException("killed");
        });
        var run = (await first.AcceptAsync(Event())).Runs[0];
        await killed.Task.WaitAsync(TestPlatform.Timeout);
        await using var second = await OpenAsync();

        var told = await EndAsync(second, run);

        Assert.Equal(RunOutcome.Completed, told.Run.Summary.Outcome);
        Assert.NotEmpty(told.Text);
        Assert.Equal((2, 1), (_texts.Loads, _texts.Computes));
    }

    // Whatever it does by then, it is done for this computation: it writes, or it begins to.
    void KillSoon()
    {
        var worker = _client.WorkerId!.Value;
        _ = Task.Run(async () =>
        {
            await Task.Delay(20);
            using var process = Process.GetProcessById(worker);
            process.Kill();
        });
    }

    async Task<Platform> OpenAsync(Action<string, string>? failPoint = null)
    {
        var models = Environment.GetEnvironmentVariable("MILLRACE_MODELS");
        Skip.If(string.IsNullOrEmpty(models), "MILLRACE_MODELS is not set");
        Skip.If(_texts.WhyAbsent is not null, _texts.WhyAbsent);
        var platform = await Platform.OpenAsync(new PlatformOptions
        {
            DataFolder = _data,
            Lease = TimeSpan.FromSeconds(1),
            FailPoint = failPoint,
            Nn = new()
            {
                Backends = [_texts],
                Models = ImmutableDictionary<string, NamedModel>.Empty.Add(
                    "story", new("story", NnEncoding.Ggml, NnTarget.Cpu, [Path.Combine(models!, "SmolLM2-135M-Instruct.Q4_1.gguf")])),
            },
        });
        var files = new Dictionary<string, ReadOnlyMemory<byte>>
        {
            ["flow.yaml"] = Encoding.UTF8.GetBytes(Manifest),
            ["guest.wasm"] = NnGuest.Text("story", Options),
        };
        await platform.DeployAsync(Package.Read(PackageContent.Of("test", files)));
        return platform;
    }

    const string Manifest = """
        millrace: 1
        name: flow
        module: guest.wasm
        triggers: [{on: http}]
        grants:
          nn: {models: [story]}
        """;

    static IncomingEvent Event() => new()
    {
        Source = "test",
        DeliveryId = Guid.NewGuid().ToString("N"),
        Type = "http",
        Flow = "flow",
        Body = "Once upon a time"u8.ToArray(),
    };

    static async Task<(RunDetail Run, byte[] Text)> RunAsync(Platform platform) =>
        await EndAsync(platform, (await platform.AcceptAsync(Event())).Runs[0]);

    static async Task<(RunDetail Run, byte[] Text)> EndAsync(Platform platform, string run)
    {
        using var timeout = new CancellationTokenSource(TestPlatform.Timeout);
        await platform.WaitForEndAsync(run, timeout.Token);
        using var output = new MemoryStream();
        await foreach (var part in platform.ReadOutputAsync(run, cancel: timeout.Token)) output.Write(part.Span);
        return ((await platform.RunAsync(run))!, output.ToArray());
    }
}
