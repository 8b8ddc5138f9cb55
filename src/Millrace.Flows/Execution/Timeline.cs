using System.Collections.Immutable;
using System.Text;
using Millrace.Flows.Door;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Execution;

/// <summary>From rows to what a person reads.</summary>
static class Timeline
{
    const int ChunksMax = 10_000;

    public static RunSummary Summary(RunRow row) => new()
    {
        Id = row.Id,
        Flow = row.Name,
        Version = row.Version,
        EventType = row.EventType,
        Operation = row.Operation,
        Partition = row.Partition,
        State = row.State,
        Outcome = row.Outcome,
        ExitCode = row.ExitCode,
        Message = row.Message,
        Attempts = row.Attempts,
        FailureOf = row.FailureOf,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedMs),
        StartedAt = row.StartedNs is { } started ? FromNs(started) : null,
        EndedAt = row.EndedMs is { } ended ? DateTimeOffset.FromUnixTimeMilliseconds(ended) : null,
    };

    public static async Task<RunDetail> DetailAsync(IStore store, RunRow row)
    {
        var journal = await store.JournalAsync(row.Number, row.Branch);
        var children = new Dictionary<long, List<RunDetail>>();
        foreach (var child in await store.ChildrenAsync(row.Number, sequence: null))
        {
            if (!children.TryGetValue(child.ParentSequence!.Value, out var list))
                children[child.ParentSequence.Value] = list = [];
            list.Add(await DetailAsync(store, child));
        }
        var envelope = row.Event is { } id ? (await store.EventAsync(id)).Envelope : "";
        var operations = journal.Operations.Select(o => Operation(o, children.GetValueOrDefault(o.Sequence) ?? []));
        return new(Summary(row), envelope, [.. operations])
        {
            Cpu = TimeSpan.FromMilliseconds(row.CpuMs),
            MemoryBytesPeak = row.MemoryBytesPeak,
            Tokens = journal.Operations.Sum(operation => operation.Tokens),
        };
    }

    /// <summary>Standard error and <c>log.write</c>, by time.</summary>
    public static async Task<ImmutableArray<LogEntry>> LogAsync(IStore store, RunRow row)
    {
        var entries = Lines(await store.OutputAsync(row.Number, OutputStream.Log, 0, ChunksMax)).ToList();
        var journal = await store.JournalAsync(row.Number, row.Branch);
        foreach (var operation in journal.Operations.Where(o => o is { Name: "log.write", State: OperationState.Done }))
        {
            var head = JsonText.Object(operation.Head)!;
            var fields = head["fields"] is { } more ? $" {more.ToJsonString()}" : "";
            entries.Add(new(FromNs(operation.StartedNs), (string)head["level"]!, (string)head["message"]! + fields));
        }
        return [.. entries.OrderBy(entry => entry.At)];
    }

    /// <summary>A line may have been written in pieces; it is as old as its first one.</summary>
    static IEnumerable<LogEntry> Lines(ImmutableArray<OutputRow> chunks)
    {
        var (line, at) = (new List<byte>(), 0L);
        foreach (var chunk in chunks)
        {
            foreach (var value in chunk.Bytes)
            {
                if (line.Count == 0) at = chunk.AtMs;
                line.Add(value);
                if (value != (byte)'\n') continue;
                yield return Line(line, at);
                line.Clear();
            }
        }
        if (line.Count > 0) yield return Line(line, at);
    }

    static LogEntry Line(List<byte> line, long atMs) => new(
        DateTimeOffset.FromUnixTimeMilliseconds(atMs), "stderr",
        Encoding.UTF8.GetString([.. line]).TrimEnd('\n', '\r'));

    static OperationDetail Operation(OperationRow row, IEnumerable<RunDetail> children) => new()
    {
        Sequence = row.Sequence,
        Name = row.Name,
        Kind = row.Kind,
        State = row.State,
        Head = Encoding.UTF8.GetString(row.Head.Span),
        Result = row.Result is { } result ? Encoding.UTF8.GetString(result.Head.Span) : null,
        ResultBodyBytes = row.Result?.Body.Length ?? 0,
        StartedAt = FromNs(row.StartedNs),
        Duration = TimeSpan.FromMilliseconds(row.DurationMs),
        Tokens = row.Tokens,
        Asks = row.Asks,
        Rounds = row.Rounds,
        Children = [.. children],
    };

    static DateTimeOffset FromNs(long ns) => DateTimeOffset.UnixEpoch.AddTicks(ns / 100);
}
