using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Millrace.Sandbox;
using Millrace.Wasm;

namespace Millrace.Guests.Tests;

/// <summary>One run of a committed guest through the engine, with a fake host behind the door.</summary>
sealed record GuestRun(RunEnd End, byte[] Output, string Log, ImmutableArray<OperationRequest> Operations)
{
    static readonly Engine Engine = new();
    static readonly ConcurrentDictionary<string, Lazy<Module>> Modules = new();

    public string Text => Encoding.UTF8.GetString(Output);

    /// <summary>Runs <c>guests/NAME/NAME.wasm</c>.</summary>
    public static GuestRun Of(
        string name, byte[] input, Func<OperationRequest, Reply> answer, params (string Name, JsonNode Value)[] environment)
    {
        var module = Modules.GetOrAdd(name, _ => new(() => Module.Compile(Engine, File.ReadAllBytes(Wasm(name))))).Value;
        var host = new FakeRunHost(answer);
        var request = new RunRequest
        {
            RunId = "run",
            Arguments = [name],
            Environment = environment.ToImmutableSortedDictionary(v => v.Name, v => v.Value.ToJsonString()),
            Input = input,
            StartedAtNs = FakeRunHost.StartNs,
            Seed = new byte[32],
            Limits = new() { MemoryBytesMax = 128 << 20 },
        };
        var run = SandboxRun.Create(Engine, module, request, host, TimeProvider.System);
        host.Run = run;
        var end = run.Execute();
        return new(end, host.Output(OutputStream.Result), Encoding.UTF8.GetString(host.Output(OutputStream.Log)),
            [.. host.Operations]);
    }

    public static string Wasm(string name) => Path.Combine(Folders.Guests, name, name + ".wasm");
}

/// <summary>What the fake host answers.</summary>
sealed record Reply(ResultState State, byte[] Head, byte[] Body, long TakesMs = 1)
{
    public static Reply Done(JsonNode head, byte[]? body = null) =>
        new(ResultState.Done, Encoding.UTF8.GetBytes(head.ToJsonString()), body ?? []);

    public static Reply Error(string type, string detail) => new(ResultState.Error,
        Encoding.UTF8.GetBytes(new JsonObject { ["type"] = type, ["title"] = type, ["detail"] = detail }.ToJsonString()), []);
}

/// <summary>Answers each operation at once, on the guest's own thread; its clock moves with the answers.</summary>
sealed class FakeRunHost(Func<OperationRequest, Reply> answer) : IRunHost
{
    public const long StartNs = 1_795_620_600_000_000_000;

    readonly Dictionary<OutputStream, MemoryStream> _outputs = new()
    {
        [OutputStream.Result] = new(),
        [OutputStream.Log] = new(),
    };

    long _nowNs = StartNs;

    public SandboxRun? Run { get; set; }

    public List<OperationRequest> Operations { get; } = [];

    public byte[] Output(OutputStream stream) => _outputs[stream].ToArray();

    public void Start(long sequence, OperationRequest request)
    {
        Operations.Add(request);
        var reply = answer(request);
        _nowNs += reply.TakesMs * 1_000_000;
        Run!.Complete(sequence, new(reply.State, reply.Head, reply.Body, _nowNs));
    }

    public void Deliver(Delivery delivery) { }

    public void Write(OutputStream stream, long offset, ReadOnlySpan<byte> bytes)
    {
        Assert.Equal(_outputs[stream].Length, offset);
        _outputs[stream].Write(bytes);
    }

    public void BeginWait(ReadOnlySpan<long> sequences) { }

    public void EndWait() { }
}
