using System.Diagnostics;

namespace Millrace.Wasm.Tests.Runtime;

public sealed class LimitTests
{
    static readonly TimeSpan TestTimeout = TimeSpan.FromSeconds(20);

    [Fact]
    public void Endless_recursion_traps_quickly_and_again()
    {
        using var guest = Guest.FromWat("""
            (module (func $f (export "f") (param i64) (result i64) (i64.add (call $f (local.get 0)) (i64.const 1))))
            """);
        var clock = Stopwatch.StartNew();

        for (var i = 0; i < 5; i++) Assert.Equal(TrapCode.CallStackExhausted, guest.Traps("f", Value.From(0L)).Code);

        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TestTimeout);
    }

    [Fact]
    public void The_stack_limit_decides_how_deep_calls_go()
    {
        const string Counter = """
            (module
              (global $deepest (export "deepest") (mut i32) (i32.const 0))
              (func $f (export "f") (param i32)
                (global.set $deepest (local.get 0))
                (call $f (i32.add (local.get 0) (i32.const 1)))))
            """;
        var depths = new List<int>();

        foreach (var bytes in (int[])[64 << 10, 256 << 10])
        {
            using var guest = Guest.FromWat(Counter, new StoreLimits { StackBytesMax = bytes });
            guest.Traps("f", Value.From(0));
            depths.Add(guest.Instance.FindGlobal("deepest")!.Value.AsI32);
        }

        Assert.InRange((double)depths[1] / depths[0], 3, 5);
    }

    [Fact]
    public void Recursion_with_huge_frames_traps()
    {
        var locals = string.Join(' ', Enumerable.Repeat("i64", 20_000));
        var reads = string.Concat(Enumerable.Range(0, 2_000).Select(i => $"(local.set {i} (call $g (local.get {i})))"));
        using var guest = Guest.FromWat($"""
            (module
              (func $g (param i64) (result i64) (call $f) (local.get 0))
              (func $f (export "f") (local {locals}) {reads}))
            """);

        Assert.Equal(TrapCode.CallStackExhausted, guest.Traps("f").Code);
    }

    [Theory]
    [InlineData("(loop $l (br $l))")]
    [InlineData("(loop $l (br_if $l (i32.const 1)))")]
    [InlineData("(loop $l (call $two) (br $l))")]
    [InlineData("(call $recurse (i32.const 22))")]
    [InlineData("(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x1000000)) (br $l))")]
    public void An_interrupt_stops_whatever_runs(string body)
    {
        using var running = new ManualResetEventSlim();
        using var guest = Guest.FromWat($$"""
            (module
              (import "" "ready" (func $ready))
              (memory 256)
              (func $two (drop (i32.const 2)))
              (func $recurse (param i32)
                (if (local.get 0) (then
                  (call $recurse (i32.sub (local.get 0) (i32.const 1)))
                  (call $recurse (i32.sub (local.get 0) (i32.const 1)))
                  (call $recurse (i32.sub (local.get 0) (i32.const 1))))))
              (func (export "f") (call $ready) {{body}}))
            """, define: linker => linker.Define("", "ready", FunctionType.Of([], []), (_, _, _) => running.Set()));
        var stopped = 0L;
        var stopper = new Thread(() =>
        {
            running.Wait(TestTimeout);
            guest.Store.Interrupt();
            stopped = Stopwatch.GetTimestamp();
        });

        stopper.Start();
        var trap = guest.Traps("f");
        stopper.Join();

        Assert.Equal(TrapCode.Interrupted, trap.Code);
        // It takes milliseconds; the rest is for a busy machine.
        Assert.InRange(Stopwatch.GetElapsedTime(stopped), TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public void An_interrupt_holds_until_it_is_taken_back()
    {
        using var guest = Guest.FromWat("""
            (module (func $g) (func (export "f") (result i32) (loop) (i32.const 1)))
            """);

        guest.Store.Interrupt();
        Assert.Equal(TrapCode.Interrupted, guest.Traps("f").Code);
        Assert.Equal(TrapCode.Interrupted, guest.Traps("f").Code);
        guest.Store.ClearInterrupt();

        Assert.Equal(1, guest.CallI32("f"));
    }

    [Fact]
    public void Memory_grows_up_to_the_stores_limit_and_says_when_it_was_hit()
    {
        using var guest = Guest.FromWat("""
            (module (memory 1) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
            """, new StoreLimits { MemoryBytesMax = 3 * Memory.PageBytes });

        Assert.Equal(1, guest.CallI32("grow", Value.From(2)));
        Assert.False(guest.Store.MemoryLimitHit);
        Assert.Equal(-1, guest.CallI32("grow", Value.From(1)));
        Assert.True(guest.Store.MemoryLimitHit);
        Assert.Equal(3 * Memory.PageBytes, guest.Store.MemoryBytes);
    }

    [Fact]
    public void Memory_grows_up_to_its_declared_maximum()
    {
        using var guest = Guest.FromWat("""
            (module (memory 1 2) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
            """);

        Assert.Equal(-1, guest.CallI32("grow", Value.From(2)));
        Assert.Equal(1, guest.CallI32("grow", Value.From(1)));
        Assert.Equal(-1, guest.CallI32("grow", Value.From(1)));
        Assert.False(guest.Store.MemoryLimitHit);
    }

    [Fact]
    public void A_module_whose_memory_exceeds_the_limit_does_not_link()
    {
        Assert.Throws<LinkException>(
            () => Guest.FromWat("(module (memory 2))", new StoreLimits { MemoryBytesMax = Memory.PageBytes }));
    }

    [Fact]
    public void Tables_grow_up_to_the_stores_limit()
    {
        using var guest = Guest.FromWat("""
            (module
              (table $t 1 funcref)
              (func (export "grow") (param i32) (result i32) (table.grow $t (ref.null func) (local.get 0))))
            """, new StoreLimits { TableElementsMax = 10 });

        Assert.Equal(1, guest.CallI32("grow", Value.From(9)));
        Assert.Equal(-1, guest.CallI32("grow", Value.From(1)));
        Assert.Equal(-1, guest.CallI32("grow", Value.From(-1)));
    }

    [Fact]
    public void A_thread_with_a_small_stack_lends_a_larger_one()
    {
        using var guest = Guest.FromWat("""
            (module (func $f (export "f") (param i32) (result i32)
              (if (result i32) (local.get 0)
                (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1)))))
                (else (i32.const 0)))))
            """);
        var result = 0;
        var thread = new Thread(() => result = guest.CallI32("f", Value.From(5_000)), maxStackSize: 256 << 10);

        thread.Start();
        thread.Join();

        Assert.Equal(5_000, result);
    }
}
