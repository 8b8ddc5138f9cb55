using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Execution;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>
/// <c>kv</c>, <c>log</c>, <c>run</c> and <c>http.respond</c>: answered on the guest's own thread; what they change and
/// their journal row are one transaction.
/// </summary>
sealed class LocalOperations(Node node, RunPlan plan, RunJournal journal)
{
    const int KeyBytesMax = 512;
    const int ValueBytesMax = 1 << 20;
    const int KeysMax = 1000;

    public static readonly ImmutableHashSet<string> Names =
        ["kv.get", "kv.set", "kv.delete", "kv.list", "log.write", "run.info", "http.respond"];

    // What this run changed and what is not committed yet: the run sees it at once, others later.
    readonly ConcurrentDictionary<string, Change> _changed = [];
    readonly string _scope = plan.Flow is { } flow ? $"flow/{flow.Name}"
        : $"integration/{plan.Integration!.Name}/{plan.Connection!.Name}";

    /// <summary>Answers; the row is posted, and committed where the operation asks for it.</summary>
    public async Task<OperationResult> AnswerAsync(OperationRow row, ReadOnlyMemory<byte> body)
    {
        if (JsonText.Object(row.Head) is not { } head)
            return Record(row, Error(ErrorResult.Invalid, "The head is no JSON object."));
        try
        {
            return row.Name switch
            {
                "kv.get" => await GetAsync(row, head),
                "kv.set" => await ChangeAsync(row, head, body.ToArray()),
                "kv.delete" => await ChangeAsync(row, head, null),
                "kv.list" => await ListAsync(row, head),
                "log.write" => Record(row, LogFault(head) ?? Done([])),
                "run.info" => Record(row, Done(RunInfo())),
                "http.respond" => Respond(row, head),
                _ => throw new ArgumentOutOfRangeException(nameof(row), row.Name, "Not a local operation."),
            };
        }
        catch (Exception exception) when (exception is InvalidOperationException or FormatException)
        {
            return Record(row, Error(ErrorResult.Invalid, "A field of the head has the wrong type."));
        }
    }

    async Task<OperationResult> GetAsync(OperationRow row, JsonObject head)
    {
        if (Key(head) is not { } key) return Record(row, KeyFault());
        var value = _changed.TryGetValue(key, out var own)
            ? own.Value is null ? null : (KvValue?)new KvValue(own.Version, own.Value)
            : await node.Store.KeyAsync(_scope, key);
        return Record(row, value is { } found
            ? Done(new() { ["found"] = true, ["version"] = found.Version }, found.Bytes)
            : Done(new() { ["found"] = false, ["version"] = 0 }));
    }

    async Task<OperationResult> ChangeAsync(OperationRow row, JsonObject head, byte[]? value)
    {
        if (Key(head) is not { } key) return Record(row, KeyFault());
        if (value?.Length > ValueBytesMax)
            return Record(row, Error(ErrorResult.TooLarge, $"A value has at most {ValueBytesMax} bytes."));
        var ifVersion = (long?)head["if_version"];
        var change = new KvChange(_scope, key, value, ifVersion);
        OperationResult? result = null;
        // Compare-and-set commits before it answers: the answer may decide what is sent outside.
        var ticket = journal.ChangeKey(lags: ifVersion is null, change, done =>
        {
            result = Answer(done, value is null);
            return [new OperationAsked(WithResult(row, result))];
        });
        if (ifVersion is not null) await ticket.Committed;
        var answer = await ticket.Executed;
        if (answer.Applied) Remember(key, new(answer.Version, value), ticket.Committed);
        return result!;
    }

    void Remember(string key, Change own, Task committed)
    {
        _changed[key] = own;
        committed.ContinueWith(
            _ => _changed.TryRemove(KeyValuePair.Create(key, own)),
            CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }

    OperationResult Answer(KvAnswer answer, bool isDelete)
    {
        if (!answer.Applied)
            return Error(ErrorResult.Conflict, $"The key's version is {answer.Version}, not the expected one.");
        return Done(isDelete ? new() { ["deleted"] = answer.Existed } : new() { ["version"] = answer.Version });
    }

    async Task<OperationResult> ListAsync(OperationRow row, JsonObject head)
    {
        var prefix = (string?)head["prefix"] ?? "";
        var after = (string?)head["after"];
        var limit = Math.Clamp((int?)head["limit"] ?? KeysMax, 1, KeysMax);
        var stored = await node.Store.KeysAsync(_scope, prefix, after, limit + _changed.Count);
        var keys = new SortedSet<string>(stored, StringComparer.Ordinal);
        foreach (var (key, own) in _changed)
        {
            if (own.Value is null) keys.Remove(key);
            else if (key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(key, after) > 0)
                keys.Add(key);
        }
        return Record(row, Done(new() { ["keys"] = new JsonArray([.. keys.Take(limit).Select(k => (JsonNode)k)]) }));
    }

    OperationResult? LogFault(JsonObject head)
    {
        var isRight = (string?)head["level"] is "debug" or "info" or "warn" or "error"
            && (string?)head["message"] is not null;
        return isRight ? null
            : Error(ErrorResult.Invalid, "log.write needs a level (debug, info, warn or error) and a message.");
    }

    JsonObject RunInfo() => new()
    {
        ["id"] = plan.Run.Id,
        ["flow"] = plan.Run.Name,
        ["version"] = plan.Run.Version,
        ["started"] = DateTimeOffset.FromUnixTimeMilliseconds(plan.Run.StartedNs!.Value / 1_000_000).ToString("O"),
        ["event"] = plan.Envelope.DeepClone(),
        ["settings"] = plan.Flow?.Settings.DeepClone() ?? plan.Connection?.Settings.DeepClone(),
        ["limits"] = new JsonObject
        {
            ["wall_ms"] = (long)plan.Limits.Wall.TotalMilliseconds,
            ["cpu_ms"] = (long)plan.Limits.Cpu.TotalMilliseconds,
            ["memory_bytes"] = plan.Limits.MemoryBytesMax,
            ["tokens"] = plan.Flow?.Limits.Tokens,
        },
    };

    OperationResult Respond(OperationRow row, JsonObject head)
    {
        if (journal.ResultBytes > 0)
            return Record(row, Error(ErrorResult.Conflict, "The answer has begun: its status is sent."));
        if ((int?)head["status"] is not (>= 200 and <= 599 and var status))
            return Record(row, Error(ErrorResult.Invalid, "http.respond needs a status from 200 to 599."));
        var headers = head["headers"] as JsonObject ?? [];
        if (headers.Any(header => header.Value?.GetValueKind() != JsonValueKind.String))
            return Record(row, Error(ErrorResult.Invalid, "Headers are texts."));
        return Record(row, Done([]), new Responded(status, headers.ToJsonString()));
    }

    OperationResult Record(OperationRow row, OperationResult result, params ImmutableArray<JournalChange> changes)
    {
        journal.AppendAsync(lags: true, changes.Add(new OperationAsked(WithResult(row, result))));
        return result;
    }

    static OperationRow WithResult(OperationRow row, OperationResult result) => row with
    {
        State = result.State == ResultState.Done ? OperationState.Done : OperationState.Error,
        Result = result,
    };

    OperationResult Done(JsonObject head, ReadOnlyMemory<byte> body = default) =>
        new(ResultState.Done, JsonSerializer.SerializeToUtf8Bytes(head), body, Clock.Ns(node.Time));

    OperationResult Error(string type, string detail) => ErrorResult.Of(node.Time, type, detail);

    OperationResult KeyFault() => Error(ErrorResult.Invalid, $"A key has 1 to {KeyBytesMax} bytes.");

    static string? Key(JsonObject head) => (string?)head["key"] is { Length: > 0 } key
        && System.Text.Encoding.UTF8.GetByteCount(key) <= KeyBytesMax ? key : null;

    sealed class Change(long version, byte[]? value)
    {
        public long Version { get; } = version;
        public byte[]? Value { get; } = value;
    }
}
