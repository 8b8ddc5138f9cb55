using System.Collections.Immutable;
using System.Text;
using Millrace.Flows.Door;
using Millrace.Flows.Execution;
using Millrace.Flows.Manifests;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Tests;

/// <summary>A data folder that platforms are opened on, one after the other, with guests written in C#.</summary>
sealed class TestPlatform : IAsyncDisposable
{
    // Nothing is measured by it: on a busy machine a first run alone may take half a minute.
    public static readonly TimeSpan Timeout = TimeSpan.FromMinutes(3);

    readonly Dictionary<string, Func<GuestDoor, int>> _programs = new() { ["outside"] = FakeOutside.Integration };
    Platform? _platform;

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), "millrace-" + Guid.NewGuid().ToString("N"));

    public FakeOutside Outside { get; } = new();

    public List<string> Notices { get; } = [];

    public Action<string, string>? FailPoint { get; set; }

    public TaskCompletionSource Crashed { get; set; } = new();

    public bool SkipsFind { get; set; }

    public bool HasConnection { get; set; } = true;

    public int Slots { get; set; } = 2;

    public TimeSpan SendDeadline { get; set; } = TimeSpan.FromMilliseconds(60);

    public Func<IStore, IStore> Store { get; set; } = store => store;

    public ImmutableArray<BuiltIn> MoreBuiltIns { get; set; } = [];

    public Platform Platform => _platform!;

    public async Task<Platform> OpenAsync()
    {
        var options = new PlatformOptions
        {
            DataFolder = Folder,
            Lease = TimeSpan.FromSeconds(1),
            SendDeadline = SendDeadline,
            Slots = Slots,
            FailPoint = FailPoint,
            SkipsFind = SkipsFind,
            Notice = notice => { lock (Notices) Notices.Add(notice); },
        };
        var parts = PlatformParts.Open(options);
        _platform = await Platform.OpenAsync(parts with
        {
            Store = Store(parts.Store),
            BuiltIns = [Outside.Fetch, .. MoreBuiltIns],
            Connections = name => name == "acc" && HasConnection ? new() { Name = name, Integration = "outside" } : null,
            Guests = CreateGuest,
            CheckModule = _ => Task.FromResult<string?>(null),
        });
        return _platform;
    }

    /// <summary>Throws the platform away as a SIGKILL would, and opens the folder again.</summary>
    public async Task<Platform> CrashAsync()
    {
        Platform.Crash();
        return await OpenAsync();
    }

    public Task<Platform> RestartAsync() => DisposeAsync().AsTask().ContinueWith(_ => OpenAsync()).Unwrap();

    /// <summary>Deploys a flow; triggers and grants as a manifest has them.</summary>
    public async Task DeployAsync(Func<GuestDoor, int> program, string more = "", string name = "flow")
    {
        _programs[name] = program;
        await DeployFilesAsync("integration.yaml", FakeOutside.Manifest, "outside.wasm");
        var manifest =
            $$"""
            millrace: 1
            name: {{name}}
            module: {{name}}.wasm
            triggers: [{on: http}]
            grants:
              outside: {connection: acc, operations: [read, post, put, blind, twice, charge]}
              http: {hosts: ["outside.example"], methods: [GET, POST]}
            {{more}}
            """;
        await DeployFilesAsync("flow.yaml", manifest, $"{name}.wasm");
    }

    /// <summary>Replaces the guest of a flow without a new version: for what a re-execution must notice.</summary>
    public void Reprogram(Func<GuestDoor, int> program, string name = "flow") => _programs[name] = program;

    public async Task<DeployedPackage> DeployFilesAsync(string manifestName, string manifest, string module)
    {
        var files = new Dictionary<string, ReadOnlyMemory<byte>>
        {
            [manifestName] = Encoding.UTF8.GetBytes(manifest),
            [module] = new byte[] { 0, (byte)'a', (byte)'s', (byte)'m', 1, 0, 0, 0 },
        };
        return await Platform.DeployAsync(Package.Read(PackageContent.Of("test", files)));
    }

    public async Task<string> SendAsync(string body = "{}", string? delivery = null, string flow = "flow")
    {
        var accepted = await Platform.AcceptAsync(Event(body, delivery, flow));
        return accepted.Runs[0];
    }

    public static IncomingEvent Event(string body = "{}", string? delivery = null, string flow = "flow") => new()
    {
        Source = $"run/{flow}",
        DeliveryId = delivery ?? Guid.NewGuid().ToString("N"),
        Type = "http",
        Flow = flow,
        Body = Encoding.UTF8.GetBytes(body),
    };

    /// <summary>Sends an event and waits for the end of its run.</summary>
    public async Task<RunDetail> RunAsync(string body = "{}") => await EndAsync(await SendAsync(body));

    public async Task<RunDetail> EndAsync(string run)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        await Platform.WaitForEndAsync(run, timeout.Token);
        return (await Platform.RunAsync(run))!;
    }

    public async Task<string> OutputAsync(string run)
    {
        using var timeout = new CancellationTokenSource(Timeout);
        var text = new StringBuilder();
        await foreach (var part in Platform.ReadOutputAsync(run, cancel: timeout.Token))
            text.Append(Encoding.UTF8.GetString(part.Span));
        return text.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        if (_platform is not null) await _platform.DisposeAsync();
        _platform = null;
    }

    Task<IGuest> CreateGuest(Deployed deployed, RunRequest request, IRunHost host) =>
        Task.FromResult<IGuest>(new FakeGuest(request, host, _programs[deployed.Row.Name]));
}
