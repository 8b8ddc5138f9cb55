using System.Text;

namespace Millrace.Sandbox.Tests;

/// <summary>What a guest does that its journal does not say.</summary>
public sealed class ReplayTests
{
    const string StartTwo = """
        (local $a i32) (local $b i32) (local $c i32)
        (local.set $a (call $op (i32.const 0)))
        (local.set $b (call $op (i32.const 1)))
        """;

    readonly FakeRunHost _host = new();

    [Theory]
    [InlineData("kv.set", 0, "operation 0 is kv.get; the journal says kv.set")]
    [InlineData("kv.get", 9, "operation 0 (kv.get) asks something else than the journal says")]
    public void Diverges_when_an_operation_is_another(string name, byte body, string message)
    {
        var journal = new JournalPrefix([Journaled(0, body, null, name)], []);

        AssertDiverged(StartTwo, journal, message);
    }

    [Theory]
    [InlineData("(drop (call $wait_one (local.get $b) (i32.const -1)))", "does not wait for that")]
    [InlineData("(call $cancel (local.get $a))", "cancels operation 0")]
    [InlineData("", "ended before its journal did")]
    public void Diverges_when_it_learns_otherwise(string body, string message)
    {
        var journal = new JournalPrefix([Journaled(0, 0, "{}"), Journaled(1, 1, "{}")], [new(DeliveryKind.Result, 0, 1)]);

        AssertDiverged(StartTwo + body, journal, message);
    }

    [Fact]
    public void Diverges_when_it_waits_where_it_cancelled_or_waits_without_end_where_it_timed_out()
    {
        var operations = new[] { Journaled(0, 0, "{}"), Journaled(1, 1, "{}") };
        const string Wait = "(drop (call $wait_one (local.get $a) (i32.const -1)))";

        AssertDiverged(StartTwo + Wait, new([.. operations], [new(DeliveryKind.Cancel, 0, 1)]), "waits for something else");
        AssertDiverged(StartTwo + Wait, new([.. operations], [new(DeliveryKind.TimeOut, -1, 1)]), "waits for something else");
        AssertDiverged(StartTwo + Wait, new([.. operations], [new(DeliveryKind.Part, 0, 1)]), "waits for something else");
    }

    [Fact]
    public void Diverges_when_a_delivered_result_is_not_in_the_journal()
    {
        var journal = new JournalPrefix([Journaled(0, 0, null), Journaled(1, 1, null)], [new(DeliveryKind.Result, 0, 1)]);

        AssertDiverged(StartTwo + "(drop (call $wait_one (local.get $a) (i32.const -1)))", journal, "finds no result");
    }

    [Fact]
    public void Sends_nothing_before_all_recorded_deliveries_are_gone_through()
    {
        // The third operation is new and the second is open; then it turns out that the guest went another way.
        var journal = new JournalPrefix([Journaled(0, 0, "{}"), Journaled(1, 1, null)], [new(DeliveryKind.Result, 0, 1)]);

        AssertDiverged(
            StartTwo + "(drop (call $op (i32.const 2))) (drop (call $wait_one (local.get $b) (i32.const -1)))", journal,
            "does not wait for that");
    }

    [Fact]
    public void Asks_again_what_is_open_and_goes_on_with_what_is_new_in_order()
    {
        var journal = new JournalPrefix([Journaled(0, 0, "{}"), Journaled(1, 1, null)], [new(DeliveryKind.Result, 0, 1)]);
        _host.OnStart = (sequence, _) => _host.Answer(sequence, "{}");

        var end = Execute(
            StartTwo + """
            (local.set $c (call $op (i32.const 2)))
            (drop (call $wait_one (local.get $a) (i32.const -1)))
            (drop (call $wait_one (local.get $b) (i32.const -1)))
            (drop (call $wait_one (local.get $c) (i32.const -1)))
            """, journal);

        Assert.Equal(RunEndKind.Exited, end.Kind);
        Assert.Equal([1, 2], _host.Started.Select(started => started.Sequence));
        Assert.Equal([1, 2], _host.Deliveries.Select(delivery => delivery.Sequence));
    }

    [Fact]
    public void Does_not_ask_again_what_was_cancelled()
    {
        var journal = new JournalPrefix([Journaled(0, 0, null), Journaled(1, 1, null)], [new(DeliveryKind.Cancel, 0, 1)]);

        var end = Execute(StartTwo + "(call $cancel (local.get $a))", journal);

        Assert.Equal(RunEndKind.Exited, end.Kind);
        Assert.Equal([1], _host.Started.Select(started => started.Sequence));
        Assert.Empty(_host.Deliveries);
    }

    [Fact]
    public void Has_a_journaled_result_ready_past_the_end_and_delivers_it()
    {
        var journal = new JournalPrefix([Journaled(0, 0, null), Journaled(1, 1, """{"known":1}""")], []);

        var end = Execute(
            StartTwo + """
            (i32.store (i32.const 2048) (local.get $a))
            (i32.store (i32.const 2052) (local.get $b))
            (drop (call $wait (i32.const 2048) (i32.const 2) (i32.const 0) (i32.const 2400)))
            (call $take_print (local.get $b))
            """, journal);

        Assert.Equal(RunEndKind.Exited, end.Kind);
        Assert.EndsWith("""{"known":1}""", _host.OutputText, StringComparison.Ordinal);
        Assert.Equal([new(DeliveryKind.Result, 1, Runs.StartedAtNs)], _host.Deliveries);
    }

    [Fact]
    public void Gives_refusals_again_without_a_journal_of_them()
    {
        // The refusal is the guest's own doing: the same in the first execution and in the next, and nobody else's matter.
        var body = StartTwo + """
            (local.set $c (call $start (i32.const 16) (i32.const 6) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)))
            (drop (call $wait_one (local.get $a) (i32.const -1)))
            (call $take_print (local.get $a))
            (drop (call $wait_one (local.get $c) (i32.const -1)))
            (call $take_print (local.get $c))
            """;
        _host.OnStart = (sequence, _) => _host.Answer(sequence, "{}");
        Execute(body, JournalPrefix.Empty);
        var again = new FakeRunHost();

        var end = Runs.Execute(Wat.Program(body), again, Runs.Request with { Journal = FakeRunHost.Prefix(_host.Journal) });

        Assert.Equal(RunEndKind.Exited, end.Kind);
        Assert.Equal(_host.Output, again.Output);
        Assert.Empty(again.Started);
    }

    RunEnd Execute(string body, JournalPrefix journal) =>
        Runs.Execute(Wat.Program(body), _host, Runs.Request with { Journal = journal });

    void AssertDiverged(string body, JournalPrefix journal, string message)
    {
        var end = Execute(body, journal);

        Assert.Equal(RunEndKind.Diverged, end.Kind);
        Assert.Contains(message, end.Message, StringComparison.Ordinal);
        Assert.Empty(_host.Started);
        Assert.Empty(_host.Deliveries);
    }

    static JournaledOperation Journaled(long sequence, byte body, string? head, string name = "kv.get")
    {
        var request = new OperationRequest(name, "{}"u8.ToArray(), new byte[] { body, 0, 0, 0 });
        return new(
            sequence, name, request.Digest(), head is null ? null : new(ResultState.Done, Encoding.UTF8.GetBytes(head), default, 0));
    }
}
