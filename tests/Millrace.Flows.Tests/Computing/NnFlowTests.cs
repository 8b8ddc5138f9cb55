using System.Collections.Immutable;
using System.Text;
using Millrace.Flows.Manifests;
using Millrace.Inference;
using Millrace.Nn;

namespace Millrace.Flows.Tests.Computing;

/// <summary>WASI-NN in flow mode, through the whole platform: real guests in the sandbox, real models in this process.</summary>
public sealed class NnFlowTests : IDisposable
{
    const string Case = "average_pool_same";

    static readonly int[] Shape = [1, 7, 6, 3];

    readonly string _case;
    readonly string _models;
    readonly string _data;
    readonly CountingBackend _lite = new(NnBackends.All().First(backend => backend.Encoding == NnEncoding.TensorFlowLite));

    public NnFlowTests()
    {
        _case = Path.Combine(Given("MILLRACE_CONFORMANCE"), "tflite", Case);
        _models = Given("MILLRACE_MODELS");
        _data = Directory.CreateTempSubdirectory("millrace-nn-flow-").FullName;
    }

    static string Given(string variable)
    {
        var folder = Environment.GetEnvironmentVariable(variable);
        Skip.If(string.IsNullOrEmpty(folder), $"{variable} is not set");
        return folder!;
    }

    string ModelPath => Path.Combine(_case, "model.tflite");

    byte[] Input => File.ReadAllBytes(Path.Combine(_case, "in0.bin"));

    byte[] Output => File.ReadAllBytes(Path.Combine(_case, "out0.bin"));

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [SkippableFact]
    public async Task Computes_a_granted_model_by_its_name()
    {
        await using var platform = await OpenAsync();
        await DeployAsync(platform, NnGuest.Tensors("pool", 0, Shape), "nn: {models: [pool]}");

        var (run, output) = await RunAsync(platform, Input);

        AssertCompleted(run, "nn.load done", "nn.compute done");
        AssertClose(Output, output);
        Assert.Equal(OperationKind.Paid, run.Operations[1].Kind);
    }

    [SkippableFact]
    public async Task Computes_a_model_that_the_guest_brings()
    {
        await using var platform = await OpenAsync();
        var model = await File.ReadAllBytesAsync(ModelPath);
        await DeployAsync(platform, NnGuest.Tensors(null, model.Length, Shape), "nn: {own_models: true}");

        var (run, output) = await RunAsync(platform, [.. model, .. Input]);

        AssertCompleted(run, "nn.load done", "nn.compute done");
        AssertClose(Output, output);
    }

    [SkippableFact]
    public async Task Refuses_a_model_that_was_not_granted()
    {
        await using var platform = await OpenAsync();
        await DeployAsync(platform, NnGuest.Tensors("pool", 0, Shape), "nn: {models: [other, po]}");

        var (run, output) = await RunAsync(platform, Input);

        Assert.Equal(RunOutcome.Failed, run.Summary.Outcome);
        Assert.Equal(["nn.load error"], Words(run));
        Assert.Contains("is not granted", run.Operations[0].Result, StringComparison.Ordinal);
        Assert.Equal(((int)NnErrno.NotFound, 0, 0), (run.Summary.ExitCode, output.Length, _lite.Loads));
    }

    [SkippableFact]
    public async Task Refuses_models_that_are_brought_where_only_names_are_granted()
    {
        await using var platform = await OpenAsync();
        var model = await File.ReadAllBytesAsync(ModelPath);
        await DeployAsync(platform, NnGuest.Tensors(null, model.Length, Shape), """nn: {models: ["*"]}""");

        var (run, _) = await RunAsync(platform, [.. model, .. Input]);

        Assert.Equal(["nn.load error"], Words(run));
        Assert.Equal(0, _lite.Loads);
    }

    [SkippableFact]
    public async Task Refuses_everything_without_a_grant()
    {
        await using var platform = await OpenAsync();
        await DeployAsync(platform, NnGuest.Tensors("pool", 0, Shape), "");

        var (run, _) = await RunAsync(platform, Input);

        Assert.Equal(["nn.load error"], Words(run));
        Assert.Contains("denied", run.Operations[0].Result, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Killed_at_any_point_it_goes_on_to_the_same_bytes()
    {
        var expected = await UndisturbedAsync();
        foreach (var at in AllPoints)
        {
            var (run, output) = await KilledAsync(point => point == at, null);

            AssertCompleted(run, "nn.load done", "nn.compute done");
            Assert.True(expected.SequenceEqual(output), $"{at}: other bytes");
        }
    }

    [SkippableFact]
    public async Task Gives_the_same_bytes_from_the_journal_without_an_engine()
    {
        var expected = await UndisturbedAsync();
        var gone = new CountingBackend(_lite) { OnLoad = () => throw new NnException(NnErrno.InvalidEncoding, "the engine is gone") };

        var (run, output) = await KilledAsync(point => point == "after-commit nn.compute", gone);

        AssertCompleted(run, "nn.load done", "nn.compute done");
        Assert.Equal(expected, output);
        Assert.Equal((0, 0), (gone.Loads, gone.Computes));
        Assert.Equal(1, run.Operations[1].Asks);
    }

    [SkippableFact]
    public async Task Loads_a_model_that_the_guest_brought_again_when_the_server_went_between_load_and_compute()
    {
        var model = await File.ReadAllBytesAsync(ModelPath);
        _guest = NnGuest.Tensors(null, model.Length, Shape);
        (_grant, _body) = ("nn: {own_models: true}", [.. model, .. Input]);

        var (run, output) = await KilledAsync(point => point == "before-intent nn.compute", null);

        AssertCompleted(run, "nn.load done", "nn.compute error", "nn.load done", "nn.compute done");
        AssertClose(Output, output);
    }

    [SkippableFact]
    public async Task Loads_a_model_once_for_all_runs()
    {
        await using var platform = await OpenAsync();
        await DeployAsync(platform, NnGuest.Tensors("pool", 0, Shape), "nn: {models: [pool]}");
        for (var i = 0; i < 3; i++) await RunAsync(platform, Input);

        Assert.Equal((1, 3), (_lite.Loads, _lite.Computes));
    }

    [SkippableFact]
    public async Task Writes_a_text_token_by_token_and_pays_for_its_tokens()
    {
        await using var platform = await OpenAsync();
        await DeployAsync(platform, NnGuest.Text("story", Options), "nn: {models: [story]}");

        var (run, output) = await RunAsync(platform, "Once upon a time"u8.ToArray());
        var again = await RunAsync(platform, "Once upon a time"u8.ToArray());

        AssertCompleted(run, "nn.load done", "nn.compute done");
        Assert.Matches("^, there was a .*\\|$", Encoding.UTF8.GetString(output));
        Assert.Equal(output, again.Output);
        Assert.InRange(run.Tokens, 13, 40);
        Assert.Equal(run.Tokens, run.Operations[1].Tokens);
    }

    [SkippableFact]
    public async Task Refuses_a_text_that_the_runs_tokens_would_not_reach_for()
    {
        await using var platform = await OpenAsync();
        await DeployAsync(platform, NnGuest.Text("story", Options), "nn: {models: [story]}\nlimits: {tokens: 20}");

        var (run, _) = await RunAsync(platform, "Once upon a time"u8.ToArray());

        Assert.Equal(RunOutcome.OverBudget, run.Summary.Outcome);
        Assert.Equal(["nn.load done", "nn.compute error"], Words(run));
    }

    [SkippableFact]
    public async Task Loads_a_model_again_whose_engine_died()
    {
        await using var platform = await OpenAsync();
        await DeployAsync(platform, _guest, _grant);
        await RunAsync(platform, Input);
        _lite.OnCompute = _ =>
        {
            _lite.OnCompute = _ => { };
            throw new NnException(NnErrno.RuntimeError, "the inference worker died");
        };

        var (run, output) = await RunAsync(platform, Input);

        AssertCompleted(run, "nn.load done", "nn.compute done");
        AssertClose(Output, output);
        Assert.Equal(2, _lite.Loads);
    }

    [SkippableFact]
    public async Task Breaks_a_computation_off_that_takes_more_than_the_runs_cpu_time()
    {
        await using var platform = await OpenAsync();
        await DeployAsync(platform, _guest, _grant + "\nlimits: {cpu: 1s}");
        _lite.OnCompute = cancel =>
        {
            cancel.WaitHandle.WaitOne(TestPlatform.Timeout);
            cancel.ThrowIfCancellationRequested();
        };

        var (run, _) = await RunAsync(platform, Input);

        Assert.Equal(RunOutcome.OverBudget, run.Summary.Outcome);
        Assert.Equal(["nn.load done", "nn.compute error"], Words(run));
        Assert.Contains("over-budget", run.Operations[1].Result, StringComparison.Ordinal);
    }

    const string Options = """{"temp":0,"n-predict":12}""";

    static readonly string[] AllPoints =
    [
        .. from operation in (string[])["nn.load", "nn.compute"]
           from point in (string[])["before-intent", "after-intent", "after-reply", "after-commit"]
           select $"{point} {operation}",
    ];

    byte[] _guest = NnGuest.Tensors("pool", 0, Shape);
    string _grant = "nn: {models: [pool]}";
    byte[]? _body;

    async Task<byte[]> UndisturbedAsync()
    {
        await using var platform = await OpenAsync();
        await DeployAsync(platform, _guest, _grant);
        return (await RunAsync(platform, _body ?? Input)).Output;
    }

    /// <summary>Throws the platform away at a point, opens the folder again and waits for the run's end.</summary>
    async Task<(RunDetail Run, byte[] Output)> KilledAsync(Func<string, bool> isPoint, INnBackend? afterwards)
    {
        var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Platform? first = null;
        first = await OpenAsync((point, operation) =>
        {
            lock (killed) if (killed.Task.IsCompleted || !isPoint($"{point} {operation}")) return;
            first!.Crash();
            killed.TrySetResult();
            throw new OperationCanceledException("killed");
        });
        await DeployAsync(first, _guest, _grant);
        var run = (await first.AcceptAsync(Event(_body ?? Input))).Runs[0];
        await killed.Task.WaitAsync(TestPlatform.Timeout);
        await using var second = await OpenAsync(backend: afterwards);
        return await EndAsync(second, run);
    }

    Task<Platform> OpenAsync(Action<string, string>? failPoint = null, INnBackend? backend = null) => Platform.OpenAsync(new PlatformOptions
    {
        DataFolder = _data,
        Lease = TimeSpan.FromSeconds(1),
        FailPoint = failPoint,
        Nn = new()
        {
            Backends = [backend ?? _lite, NnBackends.All().First(one => one.Encoding == NnEncoding.Llama2)],
            Models = new NamedModel[]
            {
                new("pool", NnEncoding.TensorFlowLite, NnTarget.Cpu, [ModelPath]),
                new("story", NnEncoding.Llama2, NnTarget.Cpu, [Path.Combine(_models, "stories260K.gguf")]),
            }.ToImmutableDictionary(model => model.Name),
        },
    });

    static async Task DeployAsync(Platform platform, byte[] guest, string grant)
    {
        var manifest = $$"""
            millrace: 1
            name: flow
            module: guest.wasm
            triggers: [{on: http}]
            grants:
              {{grant}}
            """;
        if (grant.Length == 0) manifest = manifest.Replace("grants:", "", StringComparison.Ordinal);
        var files = new Dictionary<string, ReadOnlyMemory<byte>>
        {
            ["flow.yaml"] = Encoding.UTF8.GetBytes(manifest),
            ["guest.wasm"] = guest,
        };
        await platform.DeployAsync(Package.Read(PackageContent.Of("test", files)));
    }

    static async Task<(RunDetail Run, byte[] Output)> RunAsync(Platform platform, byte[] body) =>
        await EndAsync(platform, (await platform.AcceptAsync(Event(body))).Runs[0]);

    static IncomingEvent Event(byte[] body) => new() { Source = "test", DeliveryId = Guid.NewGuid().ToString("N"), Type = "http", Flow = "flow", Body = body };

    static async Task<(RunDetail Run, byte[] Output)> EndAsync(Platform platform, string run)
    {
        using var timeout = new CancellationTokenSource(TestPlatform.Timeout);
        await platform.WaitForEndAsync(run, timeout.Token);
        using var output = new MemoryStream();
        await foreach (var part in platform.ReadOutputAsync(run, cancel: timeout.Token)) output.Write(part.Span);
        return ((await platform.RunAsync(run))!, output.ToArray());
    }

    static IEnumerable<string> Words(RunDetail run) =>
        run.Operations.Select(operation => $"{operation.Name} {Execution.Words.Of(operation.State)}");

    static void AssertCompleted(RunDetail run, params string[] operations)
    {
        Assert.True(run.Summary.Outcome == RunOutcome.Completed, run.Summary.Message + string.Join("; ", run.Operations));
        Assert.Equal(operations, Words(run));
    }

    static void AssertClose(byte[] expected, byte[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i += 4)
            Assert.Equal(BitConverter.ToSingle(expected, i), BitConverter.ToSingle(found, i), 1e-5f);
    }
}
