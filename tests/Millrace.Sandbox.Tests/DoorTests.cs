using System.Text;
using System.Text.Json;
using Millrace.Wasm;

namespace Millrace.Sandbox.Tests;

/// <summary>start, wait, take, cancel.</summary>
public sealed class DoorTests
{
    readonly FakeRunHost _host = new();

    [Fact]
    public void Hands_over_what_the_guest_asks_and_gives_it_the_answer()
    {
        var guest = Wat.Program("""
            (local $h i32)
            (local.set $h (call $op (i32.const 7)))
            (call $print_i32 (call $wait_one (local.get $h) (i32.const -1)))
            (call $take_print (local.get $h))
            """);
        _host.OnStart = (sequence, _) => _host.Answer(sequence, "HEAD", "BODY!", ResultState.Error);

        var end = Runs.Execute(guest, _host);

        Assert.Equal((RunEndKind.Exited, 0, ""), (end.Kind, end.ExitCode, end.Message));
        var (sequence, request) = Assert.Single(_host.Started);
        Assert.Equal((0, "kv.get", "{}"), (sequence, request.Name, Encoding.UTF8.GetString(request.Head.Span)));
        Assert.Equal([7, 0, 0, 0], request.Body.ToArray());
        Assert.Equal([0, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0], _host.Output[..16]);
        Assert.Equal("HEADBODY!", Encoding.UTF8.GetString(_host.Output[16..]));
    }

    [Fact]
    public void Wakes_a_waiting_guest_from_another_thread()
    {
        using var started = new ManualResetEventSlim();
        _host.OnStart = (_, _) => started.Set();
        var guest = Runs.Start(Wat.Program("(call $print_i32 (call $wait_one (call $op (i32.const 0)) (i32.const -1)))"), _host);
        Assert.True(started.Wait(Runs.TestTimeout));

        _host.Answer(0, "{}");

        Assert.Equal(RunEndKind.Exited, guest.Wait().Kind);
        Assert.Equal([0, 0, 0, 0], _host.Output);
        Assert.Equal((1, false), (_host.Waits, _host.IsWaiting));
    }

    [Fact]
    public void Needs_its_slot_when_the_answer_is_there_already()
    {
        _host.OnStart = (sequence, _) => _host.Answer(sequence, "{}");

        Runs.Execute(Wat.Program("(drop (call $wait_one (call $op (i32.const 0)) (i32.const -1)))"), _host);

        Assert.Equal(0, _host.Waits);
    }

    [Fact]
    public void Delivers_first_what_came_first()
    {
        var guest = Wat.Program("""
            (local $i i32)
            (loop $begin
              (i32.store (i32.add (i32.const 2048) (i32.shl (local.get $i) (i32.const 2))) (call $op (local.get $i)))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $begin (i32.lt_u (local.get $i) (i32.const 3))))
            (call $print_i32 (call $wait (i32.const 2048) (i32.const 3) (i32.const -1) (i32.const 2400)))
            """);
        _host.OnStart = (sequence, _) =>
        {
            if (sequence < 2) return;
            foreach (var next in new long[] { 1, 0, 2 }) _host.Answer(next, "{}");
        };

        Runs.Execute(guest, _host);

        Assert.Equal(1, BitConverter.ToInt32(_host.Output));
        Assert.Equal(1, Assert.Single(_host.Deliveries).Sequence);
    }

    [Fact]
    public void Answers_again_at_once_what_was_announced_and_not_taken()
    {
        var guest = Wat.Program("""
            (local $h i32)
            (local.set $h (call $op (i32.const 0)))
            (drop (call $wait_one (local.get $h) (i32.const -1)))
            (call $print_i32 (call $wait_one (local.get $h) (i32.const 0)))
            """);
        _host.OnStart = (sequence, _) => _host.Answer(sequence, "{}");

        Runs.Execute(guest, _host);

        Assert.Equal(0, BitConverter.ToInt32(_host.Output));
        Assert.Single(_host.Deliveries);
    }

    [Theory]
    [InlineData("(call $wait_one (call $op (i32.const 0)) (i32.const 0))")]
    [InlineData("(call $wait_one (call $op (i32.const 0)) (i32.const 20))")]
    [InlineData("(call $wait (i32.const 0) (i32.const 0) (i32.const 20) (i32.const 2400))")]
    public void Times_out(string wait)
    {
        var end = Runs.Execute(Wat.Program($"(call $print_i32 {wait})"), _host);

        Assert.Equal(RunEndKind.Exited, end.Kind);
        Assert.Equal(-1, BitConverter.ToInt32(_host.Output));
        Assert.Equal((DeliveryKind.TimeOut, -1), (Assert.Single(_host.Deliveries).Kind, _host.Deliveries[0].Sequence));
    }

    [Fact]
    public void Cancels_and_drops_the_late_result()
    {
        var guest = Wat.Program("""
            (local $h i32)
            (local.set $h (call $op (i32.const 0)))
            (call $cancel (local.get $h))
            (call $print_i32 (call $wait (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 2400)))
            """);
        _host.OnDeliver = delivery =>
        {
            if (delivery.Kind == DeliveryKind.Cancel) _host.Answer(0, "{}");
        };

        Assert.Equal(RunEndKind.Exited, Runs.Execute(guest, _host).Kind);

        Assert.Equal([DeliveryKind.Cancel, DeliveryKind.TimeOut], _host.Deliveries.Select(d => d.Kind));
    }

    [Fact]
    public void Holds_64_operations_open_and_answers_over_budget_to_the_next()
    {
        var guest = Wat.Program("""
            (local $i i32) (local $h i32)
            (loop $begin
              (local.set $h (call $op (local.get $i)))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $begin (i32.lt_u (local.get $i) (i32.const 65))))
            (call $print_i32 (call $wait_one (local.get $h) (i32.const -1)))
            (call $take_print (local.get $h))
            (call $cancel (i32.const 1))
            (call $print_i32 (call $op (i32.const 99)))
            """);

        var end = Runs.Execute(guest, _host);

        Assert.Equal(RunEndKind.Exited, end.Kind);
        Assert.Equal(65, _host.Started.Count);
        Assert.Equal(64, _host.Started[^1].Sequence);
        Assert.Equal([DeliveryKind.Cancel], _host.Deliveries.Select(d => d.Kind));
        Assert.Equal("over-budget", ErrorType(_host.Output.AsSpan()[4..^4]));
        Assert.Equal(66, BitConverter.ToInt32(_host.Output.AsSpan()[^4..]));
    }

    [Theory]
    [InlineData("(i32.const 16) (i32.const 6) (i32.const 33) (i32.const 1) (i32.const 0) (i32.const 0)", "invalid")]
    [InlineData("(i32.const 16) (i32.const 6) (i32.const 32) (i32.const 0) (i32.const 0) (i32.const 0)", "invalid")]
    [InlineData("(i32.const 16) (i32.const 6) (i32.const 120) (i32.const 5) (i32.const 0) (i32.const 0)", "invalid")]
    [InlineData("(i32.const 16) (i32.const 0) (i32.const 32) (i32.const 2) (i32.const 0) (i32.const 0)", "invalid")]
    [InlineData("(i32.const 121) (i32.const 3) (i32.const 32) (i32.const 2) (i32.const 0) (i32.const 0)", "invalid")]
    [InlineData("(i32.const 0) (i32.const 129) (i32.const 32) (i32.const 2) (i32.const 0) (i32.const 0)", "invalid")]
    [InlineData("(i32.const 16) (i32.const 6) (i32.const 0) (i32.const 1048577) (i32.const 0) (i32.const 0)", "too-large")]
    [InlineData("(i32.const 16) (i32.const 6) (i32.const 32) (i32.const 2) (i32.const 0) (i32.const 33554433)", "too-large")]
    public void Answers_an_error_to_wrong_content_and_tells_nobody(string arguments, string type)
    {
        var guest = Wat.Program(
            $"""
            (local $h i32)
            (drop (memory.grow (i32.const 600)))
            (local.set $h (call $start {arguments}))
            (drop (call $wait_one (local.get $h) (i32.const -1)))
            (call $take_print (local.get $h))
            """,
            """(data (i32.const 120) "\22\ff\80\00\22")""");

        var end = Runs.Execute(guest, _host);

        Assert.Equal(RunEndKind.Exited, end.Kind);
        Assert.Equal(type, ErrorType(_host.Output));
        Assert.Empty(_host.Started);
        Assert.Empty(_host.Deliveries);
    }

    [Fact]
    public void Keeps_no_more_than_64_MiB_of_requests()
    {
        var guest = Wat.Program("""
            (local $h i32)
            (drop (memory.grow (i32.const 600)))
            (drop (call $start (i32.const 16) (i32.const 6) (i32.const 32) (i32.const 2) (i32.const 0) (i32.const 33000000)))
            (drop (call $start (i32.const 16) (i32.const 6) (i32.const 32) (i32.const 2) (i32.const 0) (i32.const 33000000)))
            (local.set $h (call $start (i32.const 16) (i32.const 6) (i32.const 32) (i32.const 2) (i32.const 0) (i32.const 33000000)))
            (drop (call $wait_one (local.get $h) (i32.const -1)))
            (call $take_print (local.get $h))
            """);

        Runs.Execute(guest, _host);

        Assert.Equal(2, _host.Started.Count);
        Assert.Equal("too-large", ErrorType(_host.Output));
    }

    [Theory]
    [InlineData("(drop (call $start (i32.const -1) (i32.const 6) (i32.const 32) (i32.const 2) (i32.const 0) (i32.const 0)))")]
    [InlineData("(drop (call $start (i32.const 16) (i32.const 6) (i32.const -8) (i32.const 100) (i32.const 0) (i32.const 0)))")]
    [InlineData("(drop (call $start (i32.const 16) (i32.const 6) (i32.const 32) (i32.const 2) (i32.const 0) (i32.const 262145)))")]
    [InlineData("(drop (call $wait_one (i32.const 1) (i32.const 0)))")]
    [InlineData("(drop (call $wait (i32.const -4) (i32.const 2) (i32.const 0) (i32.const 2400)))")]
    [InlineData("(drop (call $wait (i32.const 0) (i32.const -1) (i32.const 0) (i32.const 2400)))")]
    [InlineData("(drop (call $wait (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 262140)))")]
    [InlineData("(drop (call $wait (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 2400)))")]
    [InlineData("(drop (call $wait (i32.const 0) (i32.const 0) (i32.const -2) (i32.const 2400)))")]
    [InlineData("(call $take (i32.const 1) (i32.const 0) (i32.const 0))")]
    [InlineData("(call $take (call $op (i32.const 0)) (i32.const 0) (i32.const 0))")]
    [InlineData("(call $cancel (i32.const 1))")]
    [InlineData("(call $cancel (i32.const 0))")]
    [InlineData("(local $h i32) (local.set $h (call $op (i32.const 0))) (call $cancel (local.get $h)) (call $cancel (local.get $h))")]
    [InlineData("(loop $l (drop (call $start (i32.const 16) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))) (br $l))")]
    public void Traps_on_bad_pointers_and_handles(string body)
    {
        var end = Runs.Execute(Wat.Program(body), _host);

        Assert.Equal((RunEndKind.Trapped, TrapCode.HostFault), (end.Kind, end.Trap));
        Assert.NotEmpty(end.Message);
    }

    [Fact]
    public void Traps_and_keeps_the_handle_when_there_is_no_room_for_what_is_taken()
    {
        _host.OnStart = (sequence, _) => _host.Answer(sequence, "HEAD");
        var guest = Wat.Program("""
            (local $h i32)
            (local.set $h (call $op (i32.const 0)))
            (drop (call $wait_one (local.get $h) (i32.const -1)))
            (call $take (local.get $h) (i32.const 262142) (i32.const 0))
            """);

        Assert.Equal(TrapCode.HostFault, Runs.Execute(guest, _host).Trap);
    }

    [Fact]
    public void Says_the_same_of_what_was_not_waited_for_whether_or_not_its_answer_came()
    {
        var guest = Wat.Program("(call $take (call $op (i32.const 0)) (i32.const -1) (i32.const 0))");
        var early = new FakeRunHost();
        early.OnStart = (sequence, _) => early.Answer(sequence, "HEAD");

        Assert.Equal(Runs.Execute(guest, _host).Message, Runs.Execute(guest, early).Message);
    }

    static string ErrorType(ReadOnlySpan<byte> printed)
    {
        Assert.Equal(1, BitConverter.ToInt32(printed));
        var reader = JsonDocument.Parse(printed[12..].ToArray());
        Assert.NotEmpty(reader.RootElement.GetProperty("title").GetString()!);
        Assert.NotEmpty(reader.RootElement.GetProperty("detail").GetString()!);
        return reader.RootElement.GetProperty("type").GetString()!;
    }
}
