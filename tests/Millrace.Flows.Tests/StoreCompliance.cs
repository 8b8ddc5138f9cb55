using System.Collections.Immutable;
using System.Text;
using Millrace.Flows.Storage;
using Millrace.Flows.Triggers;
using Millrace.Sandbox;

namespace Millrace.Flows.Tests;

/// <summary>What every store must do.</summary>
public abstract class StoreCompliance
{
    static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeMilliseconds(1_000_000);
    static readonly byte[] Large = Enumerable.Range(0, 200_000).Select(i => (byte)i).ToArray();

    /// <summary>A store that is empty.</summary>
    private protected abstract IStore Open();

    /// <summary>The same store, opened again after a planned end.</summary>
    private protected abstract IStore Reopen();

    [Fact]
    public async Task An_event_is_accepted_once_with_its_runs()
    {
        await using var store = Open();

        var first = await store.AcceptAsync(Event("one"), [Run("a", "p")]);
        var second = await store.AcceptAsync(Event("one"), [Run("b", "p")]);

        Assert.Equal((false, "a"), (first.IsDuplicate, first.Runs[0]));
        Assert.Equal((true, "a"), (second.IsDuplicate, second.Runs[0]));
        Assert.Null(await store.RunAsync("b"));
    }

    [Fact]
    public async Task A_large_body_comes_back_byte_for_byte()
    {
        await using (var store = Open())
        {
            await store.AcceptAsync(Event("one") with { Body = Large }, [Run("a")]);
        }
        await using var again = Reopen();

        var run = await again.RunAsync("a");
        var (envelope, body) = await again.EventAsync(run!.Event!.Value);

        Assert.Equal("{}", envelope);
        Assert.Equal(Large, body);
    }

    [Fact]
    public async Task A_partition_gives_out_one_run_at_a_time_the_failure_first()
    {
        await using var store = Open();
        await store.AcceptAsync(Event("1"), [Run("a", "p")]);
        await store.AcceptAsync(Event("2"), [Run("b", "p")]);
        await store.AcceptAsync(Event("3"), [Run("c", "q")]);

        var first = await LeaseAsync(store);
        await store.EndAsync(first[0].Number, new()
        {
            Outcome = RunOutcome.Failed,
            EndedMs = 5,
            FailureEvent = Event("f"),
            FailureRun = Run("answer", "p"),
        });
        var second = await LeaseAsync(store);

        Assert.Equal(["a", "c"], first.Select(run => run.Id));
        Assert.Equal("answer", Assert.Single(second).Id);
        Assert.Equal("a", second[0].FailureOf);
    }

    [Theory]
    [InlineData((byte)Concurrency.Queue, null, null)]
    [InlineData((byte)Concurrency.ReplaceQueued, null, RunOutcome.Superseded)]
    [InlineData((byte)Concurrency.CancelRunning, "running", RunOutcome.Superseded)]
    public async Task Superseding_is_one_transaction_with_the_new_run(
        byte concurrency, string? superseded, RunOutcome? queued)
    {
        await using var store = Open();
        await store.AcceptAsync(Event("1"), [Run("running", "p")]);
        await LeaseAsync(store);
        await store.AcceptAsync(Event("2"), [Run("queued", "p")]);

        var accepted = await store.AcceptAsync(Event("3"), [Run("new", "p", (Concurrency)concurrency)]);

        Assert.Equal(superseded, accepted.Superseded.SingleOrDefault());
        Assert.Equal(queued, (await store.RunAsync("queued"))!.Outcome);
        Assert.Equal(
            superseded is null ? StopReason.None : StopReason.Superseded, (await store.RunAsync("running"))!.Stop);
    }

    [Fact]
    public async Task A_lost_run_without_a_new_row_counts_one_with_a_row_starts_counting_anew()
    {
        await using var store = Open();
        await store.AcceptAsync(Event("1"), [Run("a")]);
        var run = (await LeaseAsync(store))[0];

        await store.RecoverAsync(Now);
        await LeaseAsync(store);
        await store.RecoverAsync(Now);
        var twice = await store.RunAsync("a");
        await LeaseAsync(store);
        await store.AppendAsync(run.Number, 0, false, new OperationAsked(Row(0)));
        await store.RecoverAsync(Now);
        var afterRow = await store.RunAsync("a");
        var last = await LeaseAsync(store);
        await store.ReleaseAsync(run, isLost: true, Now, Now);
        await store.ReleaseAsync(last[0], isLost: false, Now, Now);
        var planned = await store.RunAsync("a");

        Assert.Equal((2, 1, 1), (twice!.Lost, afterRow!.Lost, planned!.Lost));
    }

    [Fact]
    public async Task A_journal_comes_back_as_it_was_written()
    {
        var result = new OperationResult(ResultState.Done, "{}"u8.ToArray(), Large, 77);
        await using (var store = Open())
        {
            await store.AcceptAsync(Event("1"), [Run("a")]);
            var run = (await LeaseAsync(store))[0];
            await store.AppendAsync(run.Number, 0, true, new OperationAsked(Row(0)));
            await store.AppendAsync(run.Number, 0, true, new AskCounted(0, OperationState.Intended, 2, 3, 4));
            await store.AppendAsync(run.Number, 0, true, new OperationEnded(0, OperationState.Done, result, 9, 12));
            await store.AppendAsync(run.Number, 0, true, new Delivered(0, new(DeliveryKind.Result, 0, 88)));
            await store.AppendAsync(run.Number, 0, true, new Wrote(OutputStream.Result, 0, [1, 2, 3], 5));
            await store.AppendAsync(run.Number, 0, false, new OperationAsked(Row(1)));
        }
        await using var again = Reopen();

        var rows = await again.JournalAsync((await again.RunAsync("a"))!.Number, 0);

        var done = rows.Operations[0];
        Assert.Equal((OperationState.Done, 2, 9L, 12L), (done.State, done.Asks, done.Tokens, done.DurationMs));
        Assert.Equal(Large, done.Result!.Body.ToArray());
        Assert.Equal(77, done.Result.CompletedAtNs);
        Assert.Equal("head", Encoding.UTF8.GetString(done.Head.Span));
        Assert.Null(rows.Operations[1].Result);
        Assert.Equal(new Delivery(DeliveryKind.Result, 0, 88), Assert.Single(rows.Deliveries));
        Assert.Equal(3, rows.ResultBytes);
    }

    [Fact]
    public async Task Keys_change_by_version_in_one_transaction_with_their_row()
    {
        await using var store = Open();
        await store.AcceptAsync(Event("1"), [Run("a")]);
        var run = (await LeaseAsync(store))[0];

        var set = await ChangeAsync(store, run, 0, new("s", "k", Large, 0));
        var again = await ChangeAsync(store, run, 1, new("s", "k", [1], 0));
        var right = await ChangeAsync(store, run, 2, new("s", "k", [2], set.Version));
        var gone = await ChangeAsync(store, run, 3, new("s", "k", null, null));
        var anew = await ChangeAsync(store, run, 4, new("s", "k", [3], 0));

        Assert.Equal([true, false, true, true, true], new[] { set, again, right, gone, anew }.Select(a => a.Applied));
        Assert.True(anew.Version > right.Version, "a version came twice");
        Assert.Equal([3], (await store.KeyAsync("s", "k"))!.Value.Bytes);
        Assert.Null(await store.KeyAsync("other", "k"));
        Assert.Equal("k", Assert.Single(await store.KeysAsync("s", "", null, 10)));
        Assert.Equal(5, (await store.JournalAsync(run.Number, 0)).Operations.Length);
    }

    [Fact]
    public async Task Children_end_with_their_caller()
    {
        await using var store = Open();
        await store.AcceptAsync(Event("1"), [Run("a")]);
        var run = (await LeaseAsync(store))[0];
        var child = await store.BeginChild(run.Number, 0, Child("a.0.1")).Executed;
        await store.BeginChild(child, 0, Child("a.0.1.0.1")).Committed;

        await store.EndAsync(run.Number, new() { Outcome = RunOutcome.Cancelled, EndedMs = 9 });

        Assert.Equal(RunOutcome.Lost, (await store.RunAsync("a.0.1"))!.Outcome);
        Assert.Equal(RunOutcome.Lost, (await store.RunAsync("a.0.1.0.1"))!.Outcome);
        Assert.Equal("a", Assert.Single(await store.RunsAsync(null, null, 10)).Id);
    }

    [Fact]
    public async Task Many_writers_at_once_lose_nothing()
    {
        await using var store = Open();
        await store.AcceptAsync(Event("1"), [Run("a")]);
        var run = (await LeaseAsync(store))[0];

        await Parallel.ForAsync(0, 400, async (i, _) =>
            await store.AppendAsync(run.Number, 0, i % 3 == 0, new OperationAsked(Row(i))));
        await store.FlushAsync();

        Assert.Equal(400, (await store.JournalAsync(run.Number, 0)).Operations.Length);
    }

    static async Task<KvAnswer> ChangeAsync(IStore store, RunRow run, long sequence, KvChange change)
    {
        var ticket = store.ChangeKey(run.Number, 0, false, change, _ => [new OperationAsked(Row(sequence))]);
        await ticket.Committed;
        return await ticket.Executed;
    }

    static Task<ImmutableArray<RunRow>> LeaseAsync(IStore store) =>
        store.LeaseAsync("me", Now, Now.AddSeconds(1), 10);

    static NewEvent Event(string id) => new("test", id, "http", "{}", "body"u8.ToArray(), 1);

    static NewRun Run(string id, string? partition = null, Concurrency concurrency = Concurrency.Queue) =>
        new(id, "flow", 1, partition, concurrency, new byte[32]);

    static NewChild Child(string id) => new(id, 0, "github", 1, "post", "gh", new byte[32], 5_000_000);

    static OperationRow Row(long sequence) => new()
    {
        Sequence = sequence,
        Name = "kv.set",
        Digest = new byte[32],
        Kind = OperationKind.Write,
        State = OperationState.Open,
        Head = "head"u8.ToArray(),
    };
}
