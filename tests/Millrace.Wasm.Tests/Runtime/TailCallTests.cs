using System.Globalization;

namespace Millrace.Wasm.Tests.Runtime;

public sealed class TailCallTests
{
    const int Many = 2_000_000;

    // Both hold far more calls than any stack has room for.
    static readonly StoreLimits SmallStack = new() { StackBytesMax = 64 << 10 };
    static readonly TimeSpan TestTimeout = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("(return_call $count (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 1)))")]
    [InlineData("""
        (return_call_indirect (param i64 i64) (result i64)
          (i64.sub (local.get 0) (i64.const 1)) (i64.add (local.get 1) (i64.const 1)) (i32.const 0))
        """)]
    public void A_function_may_go_on_as_itself_for_ever(string call)
    {
        using var guest = Guest.FromWat($"""
            (module
              (table funcref (elem $count))
              (func $count (export "f") (param i64 i64) (result i64)
                (if (i64.eqz (local.get 0)) (then (return (local.get 1))))
                {call}))
            """, SmallStack);

        Assert.Equal(Many, guest.Call("f", Value.From((long)Many), Value.From(0L))[0].AsI64);
    }

    // The second needs more room for arguments than the first's caller gave it: the runtime's slow way.
    [Fact]
    public void Functions_of_different_types_and_several_results_go_on_as_each_other()
    {
        var more = string.Join(' ', Enumerable.Repeat("i64", 20));
        var constants = string.Concat(Enumerable.Range(0, 20).Select(i => $"(i64.const {i})"));
        using var guest = Guest.FromWat($"""
            (module
              (table funcref (elem $few $many))
              (func $few (export "f") (param i32) (result i32 f64 externref i64)
                (if (i32.eqz (local.get 0)) (then
                  (return (i32.const 7) (f64.const 1.5) (ref.null extern) (i64.const 9))))
                (return_call $many (local.get 0) {constants} (f32.const 2)))
              (func $many (param i32 {more} f32) (result i32 f64 externref i64)
                (return_call_indirect (param i32) (result i32 f64 externref i64)
                  (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))))
            """, SmallStack);

        var results = guest.Call("f", Value.From(Many / 4));

        Assert.Equal(7, results[0].AsI32);
        Assert.Equal(1.5, results[1].AsF64);
        Assert.Null(results[2].AsReference);
        Assert.Equal(9, results[3].AsI64);
    }

    [Fact]
    public void Vectors_travel_with_tail_calls()
    {
        var more = string.Join(' ', Enumerable.Repeat("v128", 12));
        using var guest = Guest.FromWat($"""
            (module
              (func $few (param i32 v128) (result v128 v128)
                (if (i32.eqz (local.get 0)) (then
                  (return (local.get 1) (i64x2.add (local.get 1) (local.get 1)))))
                (return_call $many (local.get 0) {string.Concat(Enumerable.Repeat("(local.get 1)", 12))}))
              (func $many (param i32 {more}) (result v128 v128)
                (return_call $few (i32.sub (local.get 0) (i32.const 1))
                  (i64x2.add (local.get 12) (v128.const i64x2 1 2))))
              (func (export "f") (param i32) (result i64) (local $twice v128)
                (call $few (local.get 0) (v128.const i64x2 0 0))
                (local.set $twice) (i64x2.extract_lane 0)
                (i64x2.extract_lane 1 (local.get $twice)) (i64.add)))
            """, SmallStack);

        Assert.Equal(5 * (Many / 4), guest.Call("f", Value.From(Many / 4))[0].AsI64);
    }

    [Theory]
    [InlineData("(func $f (export \"f\") (return_call $f))")]
    [InlineData("(func $f (export \"f\") (return_call $g (i64.const 1))) (func $g (param i64) (return_call $f))")]
    [InlineData("(table funcref (elem $f)) (func $f (export \"f\") (return_call_indirect (i32.const 0)))")]
    [InlineData("(func $f (export \"f\") (block (block (br_table 0 1 (i32.const 0))) (return_call $f)))")]
    public async Task An_interrupt_stops_endless_tail_calls(string functions)
    {
        using var running = new ManualResetEventSlim();
        using var guest = Guest.FromWat($"""
            (module (import "" "ready" (func $ready)) {functions} (func (export "go") (call $ready) (call $f)))
            """, define: linker => linker.Define("", "ready", FunctionType.Of([], []), (_, _, _) => running.Set()));
        var trap = Task.Run(() => guest.Traps("go"));

        Assert.True(running.Wait(TestTimeout));
        guest.Store.Interrupt();

        Assert.Equal(TrapCode.Interrupted, (await trap.WaitAsync(TestTimeout)).Code);
    }

    [Fact]
    public void Tail_calls_between_instances_leave_the_stack_where_it_is()
    {
        using var engine = new Engine();
        using var store = new Store(engine, SmallStack);
        var linker = new Linker(engine);
        linker.Define("a", linker.Instantiate(store, Module.Compile(engine, WatText.ToBinary("""
            (module
              (table (export "t") 1 funcref)
              (memory 1) (data (i32.const 0) "\05")
              (func (export "f") (param i32 i32) (result i32 i32)
                (return_call_indirect (param i32 i32) (result i32 i32)
                  (local.get 0) (i32.add (local.get 1) (i32.load (i32.const 0))) (i32.const 0))))
            """))));
        var other = linker.Instantiate(store, Module.Compile(engine, WatText.ToBinary("""
            (module
              (import "a" "t" (table 1 funcref))
              (import "a" "f" (func $f (param i32 i32) (result i32 i32)))
              (memory 1) (data (i32.const 0) "\01")
              (elem (i32.const 0) $g)
              (func $g (export "g") (param i32 i32) (result i32 i32)
                (if (i32.eqz (local.get 0)) (then (return (local.get 0) (local.get 1))))
                (return_call $f (i32.sub (local.get 0) (i32.load (i32.const 0))) (local.get 1))))
            """)));

        var results = other.FindFunction("g")!.Call(Value.From(Many / 4), Value.From(0));

        Assert.Equal([0, 5 * (Many / 4)], results.Select(result => result.AsI32));
    }

    [Fact]
    public void A_host_function_may_be_tail_called()
    {
        using var guest = Guest.FromWat("""
            (module
              (import "" "swap" (func $swap (param i32 i64) (result i64 i32)))
              (func (export "f") (param i32 i64) (result i64 i32) (return_call $swap (local.get 0) (local.get 1))))
            """, define: linker => linker.Define("", "swap",
                FunctionType.Of([ValueType.I32, ValueType.I64], [ValueType.I64, ValueType.I32]),
                (_, arguments, results) => (results[0], results[1]) = (arguments[1], arguments[0])));

        var results = guest.Call("f", Value.From(3), Value.From(4L));

        Assert.Equal((4, 3), (results[0].AsI64, results[1].AsI32));
    }

    [Theory]
    [InlineData("(return_call_indirect (i32.const 9))", TrapCode.UndefinedElement)]
    [InlineData("(return_call_indirect (i32.const 1))", TrapCode.UninitializedElement)]
    [InlineData("(return_call_indirect (param i64) (i64.const 0) (i32.const 0))", TrapCode.IndirectCallTypeMismatch)]
    [InlineData("(return_call $deep)", TrapCode.CallStackExhausted)]
    public void A_tail_call_traps_as_a_call_does(string call, TrapCode code)
    {
        using var guest = Guest.FromWat($"""
            (module
              (table 2 funcref) (elem (i32.const 0) $f)
              (func $deep (call $f))
              (func $f (export "f") {call}))
            """);

        Assert.Equal(code, guest.Traps("f").Code);
    }

    [Fact]
    public void Arguments_are_computed_before_the_frame_goes()
    {
        using var guest = Guest.FromWat(string.Create(CultureInfo.InvariantCulture, $"""
            (module
              (global $g (mut i32) (i32.const 1))
              (func $next (result i32) (global.set $g (i32.mul (global.get $g) (i32.const 3))) (global.get $g))
              (func $sum (param i32 i32 i32) (result i32)
                (i32.sub (i32.mul (local.get 0) (local.get 1)) (local.get 2)))
              (func (export "f") (param i32) (result i32)
                (return_call $sum (global.get $g) (call $next) (local.tee 0 (call $next)))))
            """));

        Assert.Equal(1 * 3 - 9, guest.CallI32("f", Value.From(0)));
    }
}
