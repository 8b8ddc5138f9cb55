namespace Millrace.Wasm.Tests.Runtime;

public sealed class TrapTests
{
    [Theory]
    [InlineData("unreachable", TrapCode.Unreachable)]
    [InlineData("(drop (i32.load (i32.const 65533)))", TrapCode.OutOfBoundsMemoryAccess)]
    [InlineData("(i64.store offset=65529 (i32.const 0) (i64.const 0))", TrapCode.OutOfBoundsMemoryAccess)]
    [InlineData("(drop (i32.load offset=4294967295 (i32.const -1)))", TrapCode.OutOfBoundsMemoryAccess)]
    [InlineData("(memory.fill (i32.const 65530) (i32.const 1) (i32.const 7))", TrapCode.OutOfBoundsMemoryAccess)]
    [InlineData("(memory.copy (i32.const 65530) (i32.const 0) (i32.const 7))", TrapCode.OutOfBoundsMemoryAccess)]
    [InlineData("(memory.init 0 (i32.const 0) (i32.const 0) (i32.const 4))", TrapCode.OutOfBoundsMemoryAccess)]
    [InlineData("(drop (table.get 0 (i32.const 3)))", TrapCode.OutOfBoundsTableAccess)]
    [InlineData("(table.set 0 (i32.const -1) (ref.null func))", TrapCode.OutOfBoundsTableAccess)]
    [InlineData("(table.fill 0 (i32.const 2) (ref.null func) (i32.const 2))", TrapCode.OutOfBoundsTableAccess)]
    [InlineData("(table.copy (i32.const 0) (i32.const 2) (i32.const 2))", TrapCode.OutOfBoundsTableAccess)]
    [InlineData("(call_indirect (i32.const 3))", TrapCode.UndefinedElement)]
    [InlineData("(call_indirect (i32.const -1))", TrapCode.UndefinedElement)]
    [InlineData("(call_indirect (i32.const 1))", TrapCode.UninitializedElement)]
    [InlineData("(call_indirect (param i32) (i32.const 7) (i32.const 0))", TrapCode.IndirectCallTypeMismatch)]
    [InlineData("(drop (i32.div_s (i32.const 1) (i32.const 0)))", TrapCode.IntegerDivideByZero)]
    [InlineData("(drop (i64.rem_u (i64.const 1) (i64.const 0)))", TrapCode.IntegerDivideByZero)]
    [InlineData("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", TrapCode.IntegerOverflow)]
    [InlineData("(drop (i32.trunc_f64_s (f64.const 2147483648)))", TrapCode.IntegerOverflow)]
    [InlineData("(drop (i64.trunc_f32_u (f32.const -1)))", TrapCode.IntegerOverflow)]
    [InlineData("(drop (i32.trunc_f32_s (f32.const nan)))", TrapCode.InvalidConversionToInteger)]
    [InlineData("(call $f)", TrapCode.CallStackExhausted)]
    public void A_fault_traps_with_its_code(string body, TrapCode code)
    {
        using var guest = Guest.FromWat($$"""
            (module
              (memory 1) (data "abc")
              (table 3 funcref) (elem (i32.const 0) $f)
              (func $f (export "f") {{body}}))
            """);

        var trap = guest.Traps("f");

        Assert.Equal(code, trap.Code);
        Assert.Equal("f", trap.Backtrace[0].Name);
    }

    [Fact]
    public void A_backtrace_names_functions_from_the_innermost_out()
    {
        using var guest = Guest.FromWat("""
            (module
              (func $inner (param i32) (if (i32.eqz (local.get 0)) (then unreachable)) (call $inner (i32.const 0)))
              (func $outer (export "run") (call $inner (i32.const 1)))
            )
            """);

        var trap = guest.Traps("run");

        Assert.Equal(["inner", "inner", "outer"], trap.Backtrace.Select(frame => frame.ToString()));
    }

    [Fact]
    public void A_backtrace_has_at_most_64_frames()
    {
        using var guest = Guest.FromWat("""(module (func $f (export "f") (call $f)))""");

        Assert.Equal(64, guest.Traps("f").Backtrace.Length);
    }

    [Fact]
    public void What_a_host_function_throws_passes_through_the_guest()
    {
        using var guest = Guest.FromWat("""(module (import "" "f" (func $f)) (func (export "f") (call $f)))""",
            define: linker => linker.Define("", "f", FunctionType.Of([], []),
                (_, _, _) => throw new FormatException("mine")));

        var thrown = Assert.Throws<FormatException>(() => guest.Call("f"));

        Assert.Equal("mine", thrown.Message);
    }

    [Fact]
    public void A_trap_of_a_host_function_carries_the_guests_frames()
    {
        using var guest = Guest.FromWat("""(module (import "" "f" (func $f)) (func $g (export "g") (call $f)))""",
            define: linker => linker.Define("", "f", FunctionType.Of([], []),
                (_, _, _) => throw new TrapException(TrapCode.HostFault, "bad pointer")));

        var trap = guest.Traps("g");

        Assert.Equal(TrapCode.HostFault, trap.Code);
        Assert.Equal("g", trap.Backtrace.Single().Name);
    }

    [Fact]
    public void After_a_trap_the_instance_can_be_called_again()
    {
        using var guest = Guest.FromWat("""
            (module (func (export "bad") unreachable) (func (export "good") (result i32) (i32.const 7)))
            """);

        guest.Traps("bad");

        Assert.Equal(7, guest.CallI32("good"));
    }
}
