using System.Buffers;
using System.Text.Json.Nodes;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;
using Millrace.Flows.Operations;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Execution;

/// <summary>
/// An operation of an integration that the host asks itself, outside any run: for checks that a person waits for.
/// Module, hosts, limits and secrets are those of a child run. There is no journal, as nobody resumes a check; so
/// writes are refused.
/// </summary>
sealed class Probe : IRunHost
{
    const int AttemptsMax = 4;
    static readonly TimeSpan WaitStandard = TimeSpan.FromSeconds(1);
    static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(20);

    readonly Node _node;
    readonly Integration _integration;
    readonly Connection _connection;
    readonly ParentOperation _parent;
    readonly DateTimeOffset _deadline;
    readonly CancellationToken _cancel;
    readonly ArrayBufferWriter<byte> _output = new();
    IGuest? _guest;

    Probe(
        Node node, Integration integration, Connection connection, ParentOperation parent, DateTimeOffset deadline,
        CancellationToken cancel)
    {
        (_node, _integration, _connection) = (node, integration, connection);
        (_parent, _deadline, _cancel) = (parent, deadline, cancel);
    }

    /// <summary>Asks, and again while the far side says that it is busy.</summary>
    public static async Task<OperationResult> AskAsync(
        Node node, string connection, OperationRequest request, TimeSpan timeMax, CancellationToken cancel)
    {
        var target = OperationTargets.ByConnection(node, connection, request);
        if (target is RefusedTarget refused) return ErrorResult.Of(node.Time, refused.Type, refused.Detail);
        var found = (IntegrationTarget)target;
        if (found.Operation.Kind == OperationKind.Write)
            return ErrorResult.Of(node.Time, ErrorResult.Denied, "A write needs a run.");
        var deployed = node.Catalog.Newest(PackageKind.Integration, found.Integration)!;
        var deadline = node.Time.GetUtcNow() + timeMax;
        for (var attempt = 1; ; attempt++)
        {
            var id = "check-" + Convert.ToHexStringLower(node.Options.Randomness(8));
            var parent = new ParentOperation(found.Operation.Name, found.Operation.Kind, id);
            var probe = new Probe(
                node, deployed.Package.Integration!, node.Connections(connection)!, parent, deadline, cancel);
            var result = await probe.ExecuteAsync(deployed, found.Operation, id, request);
            if (attempt == AttemptsMax || Pause(result) is not { } pause || node.Time.GetUtcNow() + pause >= deadline)
                return result;
            await Task.Delay(pause, node.Time, cancel);
        }
    }

    /// <summary>How long a busy far side asks to be left alone; null: the answer stands.</summary>
    static TimeSpan? Pause(OperationResult result)
    {
        if (result.State == ResultState.Done || JsonText.Object(result.Head) is not { } head) return null;
        if ((string?)head["type"] is not (ErrorResult.RateLimited or ErrorResult.Unavailable)) return null;
        var asked = head["retry_after_ms"] is JsonValue value && value.TryGetValue(out long ms)
            ? TimeSpan.FromMilliseconds(ms) : WaitStandard;
        return asked < WaitMax ? asked : WaitMax;
    }

    async Task<OperationResult> ExecuteAsync(
        Deployed deployed, IntegrationOperation operation, string id, OperationRequest request)
    {
        var envelope = new JsonObject
        {
            ["id"] = id,
            ["type"] = "millrace.operation",
            ["source"] = "host",
            ["operation"] = new JsonObject { ["name"] = _parent.Name, ["key"] = _parent.Key },
        };
        var now = _node.Time.GetUtcNow();
        var guest = await _node.Guests(deployed, new()
        {
            RunId = id,
            Arguments = [_integration.Name],
            Environment = ChildPlan.Environment(envelope, _connection),
            Input = ChildPlan.Input(request),
            Assets = deployed.Package.Assets,
            StartedAtNs = Clock.Ns(_node.Time),
            Seed = _node.Options.Randomness(32),
            Limits = new()
            {
                MemoryBytesMax = _integration.Limits.MemoryBytes,
                Cpu = _integration.Limits.Cpu,
                Wall = _deadline > now ? _deadline - now : TimeSpan.Zero,
            },
        }, this);
        _guest = guest;
        using var broken = _cancel.Register(guest.Stop);
        var end = await GuestThread.RunAsync(_node, id, guest, failure =>
            _node.Options.Notice($"{request.Name}: the sandbox failed: {failure}"));
        _cancel.ThrowIfCancellationRequested();
        var answer = ChildAnswer.Of(operation, end, _output.WrittenMemory, _node.Time);
        return answer.Result ?? ErrorResult.Of(
            _node.Time, end.Kind == RunEndKind.TimedOut ? ErrorResult.TimeOut : ErrorResult.Unavailable, answer.Fault);
    }

    void IRunHost.Start(long sequence, OperationRequest request) => _ = AnswerAsync(sequence, request);

    async Task AnswerAsync(long sequence, OperationRequest request)
    {
        var result = await ResultAsync(sequence, request);
        _guest!.Complete(sequence, result);
    }

    async Task<OperationResult> ResultAsync(long sequence, OperationRequest request)
    {
        var isAllowed = request.Name is "http.fetch" or "door.sleep";
        if (!isAllowed || !_node.BuiltIns.TryGetValue(request.Name, out var builtIn))
            return ErrorResult.Of(_node.Time, ErrorResult.Denied, $"'{request.Name}' needs a run.");
        try
        {
            return (await builtIn.Execute(Context(sequence, builtIn.Kind(request)), request, _cancel)).Result;
        }
        catch (OperationCanceledException)
        {
            return ErrorResult.Of(_node.Time, ErrorResult.Cancelled, "The check was broken off.");
        }
        catch (Exception exception)
        {
            // The edge of a built-in, as in the door.
            _node.Options.Notice($"{request.Name} failed unexpectedly: {exception}");
            return ErrorResult.Of(_node.Time, ErrorResult.Unavailable, "The host could not answer.");
        }
    }

    OperationContext Context(long sequence, OperationKind kind) => new()
    {
        RunId = _parent.Key,
        Integration = _integration,
        Connection = _connection,
        Parent = _parent,
        Kind = kind == OperationKind.Write ? _parent.Kind : kind,
        Key = Node.KeyOf(_parent.Key, 0, sequence),
        StartedNs = Clock.Ns(_node.Time),
        Deadline = _deadline,
        // No engine is asked in a check.
        Computing = new(TimeSpan.Zero, TimeSpan.Zero),
        SendDeadline = _node.SendDeadline,
        Time = _node.Time,
        // No lease to check: nothing that another node could be settling.
        BeforeSend = () => { },
        CallIntegration = (_, _, _) => throw new NotSupportedException("http.fetch calls no integration"),
    };

    void IRunHost.Deliver(Delivery delivery)
    {
    }

    void IRunHost.Write(OutputStream stream, long offset, ReadOnlySpan<byte> bytes)
    {
        if (stream == OutputStream.Result) _output.Write(bytes);
    }

    void IRunHost.BeginWait(ReadOnlySpan<long> sequences) => _node.Slots.Release();

    void IRunHost.EndWait() => _node.Slots.Wait();
}
