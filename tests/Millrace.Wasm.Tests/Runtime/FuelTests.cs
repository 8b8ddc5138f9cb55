namespace Millrace.Wasm.Tests.Runtime;

public sealed class FuelTests : IDisposable
{
    const string Text = """
        (module
          (import "" "look" (func $look))
          (tag $e)
          (table funcref (elem $leaf))
          (func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
          (func $throws (throw $e))
          (func (export "straight") (result i32) (i32.add (i32.const 1) (i32.const 2)))
          (func (export "if") (param i32) (result i32)
            (if (result i32) (local.get 0) (then (i32.const 1)) (else nop nop (i32.const 2))))
          (func (export "loop") (param i32)
            (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
          (func (export "skip") (param i32)
            (block $b (br_if $b (local.get 0)) nop nop nop)
            nop)
          (func (export "dead") (result i32) (return (i32.const 1)) nop nop)
          (func (export "call") (result i32) (call $leaf (call_indirect (param i32) (result i32) (i32.const 1) (i32.const 0))))
          (func (export "catch") (block $h (try_table (catch $e $h) (call $throws) nop)) nop)
          (func (export "table") (param i32) (block (block (br_table 0 1 (local.get 0))) nop nop) nop)
          (func (export "trap") nop nop (drop (i32.div_u (i32.const 1) (i32.const 0))) nop nop)
          (func (export "look") nop (call $look) nop)
          (func $endless (export "endless") (return_call $endless))
          (func (export "catching")
            (loop $l (block $h (try_table (catch_all $h) (loop $m (br $m)))) (br $l))))
        """;

    readonly Engine _engine = new(new EngineOptions { IsMetered = true });
    readonly Guest _guest;
    long _seen;

    public FuelTests() => _guest = Guest.FromWat(Text, engine: _engine, define: linker => linker.Define(
        "", "look", FunctionType.Of([], []), (caller, _, _) => _seen = caller.Instance.Store.Fuel));

    public void Dispose()
    {
        _guest.Dispose();
        _engine.Dispose();
    }

    [Theory]
    [InlineData("straight", null, 3)]
    [InlineData("if", 1, 3)]
    [InlineData("if", 0, 5)]
    [InlineData("loop", 1, 1 + 5)]
    [InlineData("loop", 100, 1 + 100 * 5)]
    [InlineData("skip", 1, 4)]
    [InlineData("skip", 0, 7)]
    [InlineData("dead", null, 2)]
    [InlineData("call", null, 4 + 3 + 3)]
    [InlineData("catch", null, 4 + 1 + 1)]
    [InlineData("table", 0, 4 + 2 + 1)]
    [InlineData("table", 7, 4 + 1)]
    public void Every_instruction_that_is_executed_takes_one(string function, int? argument, long expected)
    {
        _guest.Store.Fuel = 10_000;

        _guest.Call(function, argument is { } value ? [Value.From(value)] : []);

        Assert.Equal(10_000 - expected, _guest.Store.Fuel);
    }

    [Fact]
    public void Just_enough_is_enough_and_one_less_is_not()
    {
        _guest.Store.Fuel = 501;
        _guest.Call("loop", Value.From(100));
        Assert.Equal(0, _guest.Store.Fuel);

        _guest.Store.Fuel = 500;
        Assert.Equal(TrapCode.OutOfFuel, _guest.Traps("loop", Value.From(100)).Code);
        Assert.Equal(0, _guest.Store.Fuel);
        Assert.Equal(TrapCode.OutOfFuel, _guest.Traps("straight").Code);

        _guest.Store.Fuel = 3;
        Assert.Equal(3, _guest.CallI32("straight"));
    }

    [Theory]
    [InlineData("endless")]
    [InlineData("catching")]
    public void Fuel_ends_what_would_not_end(string function)
    {
        _guest.Store.Fuel = 1_000_000;

        Assert.Equal(TrapCode.OutOfFuel, _guest.Traps(function).Code);
    }

    [Fact]
    public void A_trap_keeps_what_its_run_of_instructions_was_paid()
    {
        _guest.Store.Fuel = 100;

        Assert.Equal(TrapCode.IntegerDivideByZero, _guest.Traps("trap").Code);

        Assert.Equal(100 - 8, _guest.Store.Fuel);
    }

    [Fact]
    public void A_host_function_sees_what_is_left()
    {
        _guest.Store.Fuel = 100;

        _guest.Call("look");

        Assert.Equal(97, _seen);
    }

    [Fact]
    public void An_engine_that_does_not_count_says_so()
    {
        using var store = new Store(new Engine());

        Assert.Throws<InvalidOperationException>(() => store.Fuel);
        Assert.Throws<InvalidOperationException>(() => store.Fuel = 1);
    }

    [Fact]
    public void A_store_that_was_given_none_has_as_good_as_endless_fuel()
    {
        _guest.CallI32("straight");

        Assert.Equal(long.MaxValue - 3, _guest.Store.Fuel);
    }
}
