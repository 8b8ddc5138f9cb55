using System.Collections.Immutable;
using Millrace.Sandbox.Tests.Border;

namespace Millrace.Sandbox.Tests;

/// <summary>A run is a pure function of its request and its journal.</summary>
public sealed class DeterminismTests
{
    const long NowNs = Runs.StartedAtNs + 5_000_000_000;

    /// <summary>
    /// Starts eight operations; then waits for any of those that are open, prints what came with clocks, random bytes
    /// and a listing, starts more now and then, cancels one, waits a time-out out, sleeps.
    /// </summary>
    const string BusyBody =
        """
        (local $i i32) (local $index i32) (local $done i32)
        (loop $begin
          (call $add (call $op (local.get $i)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $begin (i32.lt_u (local.get $i) (i32.const 8))))
        (call $look)
        (loop $more
          (local.set $index (call $wait (i32.const 2048) (global.get $count) (i32.const -1) (i32.const 2400)))
          (call $print_i32 (local.get $index))
          (call $take_print (call $remove (local.get $index)))
          (call $look)
          (local.set $done (i32.add (local.get $done) (i32.const 1)))
          (if (i32.eq (i32.rem_u (local.get $done) (i32.const 3)) (i32.const 0)) (then
            (if (i32.lt_u (local.get $i) (i32.const 14)) (then
              (call $add (call $op (local.get $i)))
              (call $make (local.get $i))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))))))
          (if (i32.eq (local.get $done) (i32.const 2)) (then
            (call $print_i32 (call $wait (i32.const 0) (i32.const 0) (i32.const 5) (i32.const 2400)))))
          (if (i32.eq (local.get $done) (i32.const 4)) (then
            (call $cancel (call $remove (i32.const 1)))))
          (if (i32.eq (local.get $done) (i32.const 5)) (then
            (call $print_i32 (call $sleep (i64.const 1500001)))))
          (br_if $more (global.get $count)))
        (drop (call $write (i32.const 2) (i32.const 16) (i32.const 6)))
        (call $proc_exit (i32.const 3))
        """;

    const string BusyParts =
        """
        (global $count (mut i32) (i32.const 0))
        (data (i32.const 80) "file-")
        (func $add (param $handle i32)
          (i32.store (i32.add (i32.const 2048) (i32.shl (global.get $count) (i32.const 2))) (local.get $handle))
          (global.set $count (i32.add (global.get $count) (i32.const 1))))
        (func $remove (param $index i32) (result i32)
          (local $at i32) (local $handle i32)
          (local.set $at (i32.add (i32.const 2048) (i32.shl (local.get $index) (i32.const 2))))
          (local.set $handle (i32.load (local.get $at)))
          (global.set $count (i32.sub (global.get $count) (i32.const 1)))
          (memory.copy (local.get $at) (i32.add (local.get $at) (i32.const 4)) (i32.const 256))
          (local.get $handle))
        (func $make (param $i i32)
          (i32.store8 (i32.const 85) (i32.add (i32.const 97) (local.get $i)))
          (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 80) (i32.const 6) (i32.const 1)
            (i64.const 2097216) (i64.const 0) (i32.const 0) (i32.const 3080)))
          (drop (call $write (i32.load (i32.const 3080)) (i32.const 16) (i32.const 6)))
          (drop (call $fd_filestat_get (i32.load (i32.const 3080)) (i32.const 6000)))
          (call $print (i32.const 6000) (i32.const 64))
          (drop (call $fd_close (i32.load (i32.const 3080)))))
        (func $look
          (call $print_clock (i32.const 0)) (call $print_clock (i32.const 1)) (call $print_clock (i32.const 3))
          (call $print_random (i32.const 37))
          (drop (call $fd_readdir (i32.const 3) (i32.const 20000) (i32.const 4096) (i64.const 0) (i32.const 3080)))
          (call $print (i32.const 20000) (i32.load (i32.const 3080))))
        """;

    static readonly Wasm.Module Busy = Wat.Program(BusyBody, BusyParts);
    static readonly byte[] BusyBytes = Wat.ProgramBytes(BusyBody, BusyParts);

    static readonly RunRequest Request = Runs.Request with
    {
        Assets = ImmutableSortedDictionary.CreateRange(
            [KeyValuePair.Create("/assets/a", (ReadOnlyMemory<byte>)"asset"u8.ToArray())]),
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_same_journal_gives_the_same_bytes(int order)
    {
        var first = Record(order);

        var again = new FakeRunHost();
        var end = Runs.Execute(Busy, again, Request with { Journal = FakeRunHost.Prefix(first.Host.Journal) });

        Assert.Equal(new RunEnd(RunEndKind.Exited, 3, "the guest ended with exit code 3"), Bare(first.End));
        Assert.Equal(Bare(first.End), Bare(end));
        Assert.Equal(first.Host.Output, again.Output);
        Assert.Equal(first.Host.LogText, again.LogText);
        Assert.Empty(again.Started);
        Assert.Empty(again.Deliveries);
        Assert.True(first.Host.Output.Length > 1000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public async Task The_same_journal_gives_the_same_bytes_in_process_and_in_a_worker(int order)
    {
        await using var border = new BorderPool();
        var here = Record(order);
        var there = new FakeRunHost();
        var end = border.Execute(BusyBytes, there, Request with { Journal = FakeRunHost.Prefix(here.Host.Journal) });

        Assert.Equal(Bare(here.End), Bare(end));
        Assert.Equal(here.Host.Output, there.Output);
        Assert.Equal(here.Host.LogText, there.LogText);
        Assert.Empty(there.Started);
        Assert.Empty(there.Deliveries);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public async Task What_a_worker_recorded_gives_the_same_bytes_in_process(int order)
    {
        await using var border = new BorderPool();
        var there = Record(order, execute: host => border.Execute(BusyBytes, host, Request));

        var here = new FakeRunHost();
        var end = Runs.Execute(Busy, here, Request with { Journal = FakeRunHost.Prefix(there.Host.Journal) });

        Assert.Equal(new RunEnd(RunEndKind.Exited, 3, "the guest ended with exit code 3"), Bare(there.End));
        Assert.Equal(Bare(there.End), Bare(end));
        Assert.Equal(there.Host.Output, here.Output);
        Assert.Equal(there.Host.LogText, here.LogText);
        Assert.Empty(here.Started);
    }

    [Fact]
    public async Task Goes_on_in_a_worker_from_every_prefix_of_a_journal()
    {
        await using var border = new BorderPool();
        var whole = Record(1, execute: host => border.Execute(BusyBytes, host, Request));
        var journal = whole.Host.Journal;

        for (var length = 0; length <= journal.Count; length++)
        {
            var prefix = FakeRunHost.Prefix(journal.Take(length));
            var host = new FakeRunHost();
            Follow(host, whole.Host, prefix.Deliveries.Length);
            var end = border.Execute(BusyBytes, host, Request with { Journal = prefix });

            Assert.Equal(Bare(whole.End), Bare(end));
            // The time-out's own time is what the clock says, and that goes on.
            Assert.Equal(
                whole.Host.Deliveries.Select(delivery => (delivery.Kind, delivery.Sequence)),
                prefix.Deliveries.Concat(host.Deliveries).Select(delivery => (delivery.Kind, delivery.Sequence)));
            Assert.Equal(whole.Host.Output.Length, host.Output.Length);
        }
    }

    [Fact]
    public void Results_in_another_order_give_other_bytes_so_that_the_comparison_means_something() =>
        Assert.NotEqual(Record(1).Host.Output, Record(2).Host.Output);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Goes_on_from_every_prefix_of_its_journal(int order)
    {
        var whole = Record(order);
        var journal = whole.Host.Journal;

        for (var length = 0; length <= journal.Count; length++)
        {
            var prefix = FakeRunHost.Prefix(journal.Take(length));
            var host = new FakeRunHost();
            Follow(host, whole.Host, prefix.Deliveries.Length);
            var end = Runs.Execute(Busy, host, Request with { Journal = prefix }, new FakeTimeProvider(NowNs));

            Assert.Equal(Bare(whole.End), Bare(end));
            Assert.Equal(whole.Host.Output, host.Output);
            Assert.Equal(whole.Host.LogText, host.LogText);
            Assert.Equal(whole.Host.Deliveries, [.. prefix.Deliveries, .. host.Deliveries]);
        }
    }

    [Fact]
    public void Other_seeds_and_starts_give_other_bytes()
    {
        var first = Record(1).Host.Output;

        Assert.NotEqual(first, Record(1, Request with { Seed = new byte[32] }).Host.Output);
        Assert.NotEqual(first, Record(1, Request with { StartedAtNs = Runs.StartedAtNs + 1 }).Host.Output);
    }

    [Fact]
    public void Clocks_read_the_start_then_a_microsecond_more_then_the_time_of_what_was_learned()
    {
        var guest = Wat.Program("""
            (local $h i32)
            (call $print_clock (i32.const 0)) (call $print_clock (i32.const 1))
            (local.set $h (call $op (i32.const 0)))
            (drop (call $wait_one (local.get $h) (i32.const -1)))
            (call $print_clock (i32.const 2)) (call $print_clock (i32.const 3))
            (local.set $h (call $op (i32.const 1)))
            (drop (call $wait_one (local.get $h) (i32.const -1)))
            (call $print_clock (i32.const 0))
            (drop (call $wait (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 2400)))
            (call $print_clock (i32.const 0))
            """);
        var host = new FakeRunHost();
        // The second was done earlier than what the guest has read by then: its clock does not go back.
        host.OnStart = (sequence, _) => host.Answer(sequence, "{}", atNs: Runs.StartedAtNs + (sequence == 0 ? 1_000_000 : 5));

        Runs.Execute(guest, host, time: new FakeTimeProvider(NowNs));

        var read = Enumerable.Range(0, 6).Select(i => BitConverter.ToInt64(host.Output, i * 8) - Runs.StartedAtNs);
        Assert.Equal([0, 1_000, 1_000_000, 1_001_000, 1_002_000, NowNs - Runs.StartedAtNs], read);
        Assert.Equal(
            [Runs.StartedAtNs + 1_000_000, Runs.StartedAtNs + 1_002_000, NowNs], host.Deliveries.Select(d => d.AtNs));
    }

    [Fact]
    public void Random_bytes_are_one_stream_however_they_are_asked_for()
    {
        var whole = new FakeRunHost();
        var parts = new FakeRunHost();
        Runs.Execute(Wat.Program("(call $print_random (i32.const 3000))"), whole);
        Runs.Execute(
            Wat.Program("(call $print_random (i32.const 1)) (call $print_random (i32.const 1500)) (call $print_random (i32.const 1499))"),
            parts);

        Assert.Equal(whole.Output, parts.Output);
        Assert.Equal(3000, whole.Output.Length);
        // AES-256 with the key 00 01 … 1f on the block of zeros.
        Assert.Equal("f29000b62a499fd0a9f39a6add2e7780", Convert.ToHexStringLower(whole.Output[..16]));
    }

    [Fact]
    public void A_clock_that_is_polled_is_the_operation_door_sleep()
    {
        var host = new FakeRunHost();
        host.OnStart = (sequence, _) => host.Answer(sequence, "{}", atNs: Runs.StartedAtNs + 2_000_000);

        Runs.Execute(
            Wat.Program("(call $print_i32 (call $sleep (i64.const 1500001))) (call $print_clock (i32.const 1))"), host);

        var (sequence, request) = Assert.Single(host.Started);
        Assert.Equal((0, "door.sleep", """{"ms":2}"""), (sequence, request.Name, System.Text.Encoding.UTF8.GetString(request.Head.Span)));
        Assert.Equal([new(DeliveryKind.Result, 0, Runs.StartedAtNs + 2_000_000)], host.Deliveries);
        Assert.Equal(0, BitConverter.ToInt32(host.Output));
        Assert.Equal(Runs.StartedAtNs + 2_000_000, BitConverter.ToInt64(host.Output, 4));
    }

    [Fact]
    public void Sleep_that_the_host_refuses_is_an_errno()
    {
        var host = new FakeRunHost();
        host.OnStart = (sequence, _) => host.Answer(sequence, """{"type":"over-budget"}""", state: ResultState.Error);

        Runs.Execute(Wat.Program("(call $print_i32 (call $sleep (i64.const 1)))"), host);

        Assert.Equal(29, BitConverter.ToInt32(host.Output));
    }

    static (FakeRunHost Host, RunEnd End) Record(
        int order, RunRequest? request = null, Func<FakeRunHost, RunEnd>? execute = null)
    {
        var host = new FakeRunHost();
        var chance = new Random(order);
        var open = new List<long>();
        long? answered = null;
        void AnswerOne()
        {
            // One result at a time is on its way, whichever operation it belongs to.
            if (answered is not null || open.Count == 0) return;
            var index = chance.Next(open.Count);
            answered = open[index];
            open.RemoveAt(index);
            host.Answer(answered.Value, Result(answered.Value));
        }

        host.OnStart = (sequence, request) =>
        {
            // The guest waits for its sleep alone, whatever else is on its way.
            if (request.Name == "door.sleep")
            {
                host.Answer(sequence, Result(sequence));
                return;
            }

            open.Add(sequence);
            if (open.Count >= 8 || sequence >= 8) AnswerOne();
        };
        host.OnDeliver = delivery =>
        {
            if (delivery.Kind == DeliveryKind.Cancel) open.Remove(delivery.Sequence);
            if (delivery.Sequence == answered) answered = null;
            AnswerOne();
        };
        execute ??= host => Runs.Execute(Busy, host, request ?? Request, new FakeTimeProvider(NowNs));
        return (host, execute(host));
    }

    /// <summary>Lets a host answer in the order in which another one's results were delivered.</summary>
    static void Follow(FakeRunHost host, FakeRunHost leader, int delivered)
    {
        var started = new HashSet<long>();
        var answered = new HashSet<long>();
        void AnswerNext()
        {
            if (delivered >= leader.Deliveries.Count || leader.Deliveries[delivered] is not { Kind: DeliveryKind.Result } next) return;
            if (started.Contains(next.Sequence) && answered.Add(next.Sequence)) host.Answer(next.Sequence, Result(next.Sequence));
        }

        host.OnStart = (sequence, _) =>
        {
            started.Add(sequence);
            AnswerNext();
        };
        host.OnDeliver = _ =>
        {
            delivered++;
            AnswerNext();
        };
    }

    static OperationResult Result(long sequence) => new(
        ResultState.Done, System.Text.Encoding.UTF8.GetBytes($$"""{"n":{{sequence}}}"""),
        Enumerable.Repeat((byte)sequence, (int)sequence * 3).ToArray(),
        Runs.StartedAtNs + 10_000_000 * (20 - sequence));

    static RunEnd Bare(RunEnd end) => end with { Cpu = default, MemoryBytesPeak = 0 };
}
