using System.Text;

namespace Millrace.Wasm.Tests.Runtime;

public sealed class ConstantExpressionTests
{
    [Theory]
    [InlineData("i32", "(i32.sub (i32.const 1) (i32.const 3))", -2)]
    [InlineData("i32", "(i32.add (i32.const 0x7fffffff) (i32.const 1))", int.MinValue)]
    [InlineData("i32", "(i32.mul (i32.const 0x10001) (i32.const 0x10001))", 0x20001)]
    [InlineData("i64", "(i64.sub (i64.const 0) (i64.const 0x8000000000000000))", long.MinValue)]
    [InlineData("i64", "(i64.mul (i64.const 0x100000001) (i64.const 0x100000001))", 0x200000001)]
    [InlineData("i32", "(i32.sub (i32.mul (i32.const 6) (i32.const 7)) (i32.add (i32.const 1) (i32.const 2)))", 39)]
    public void Arithmetic_wraps_and_takes_its_operands_in_order(string type, string expression, long expected)
    {
        using var guest = Guest.FromWat($"""(module (global (export "g") {type} {expression}))""");

        var value = guest.Instance.FindGlobal("g")!.Value;

        Assert.Equal(expected, type == "i32" ? value.AsI32 : value.AsI64);
    }

    [Fact]
    public void A_global_may_read_those_before_it()
    {
        using var guest = Guest.FromWat("""
            (module
              (global $a i32 (i32.const 40))
              (global $b i32 (i32.add (global.get $a) (i32.const 2)))
              (memory 1)
              (data (offset (i32.mul (global.get $b) (i32.const 10))) "x")
              (func (export "f") (result i32) (i32.load8_u (i32.const 420))))
            """);

        Assert.Equal('x', guest.CallI32("f"));
    }

    [Fact]
    public void Operands_may_pile_up()
    {
        const int Depth = 50_000;
        var text = new StringBuilder("""(module (global (export "g") i32 (i32.const 0)""");
        for (var i = 0; i < Depth; i++) text.Append(" (i32.const 1)");
        for (var i = 0; i < Depth; i++) text.Append(" (i32.add)");
        using var guest = Guest.FromWat(text.Append("))").ToString());

        Assert.Equal(Depth, guest.Instance.FindGlobal("g")!.Value.AsI32);
    }

    [Fact]
    public void A_global_that_comes_later_is_refused() => Assert.Throws<InvalidException>(
        () => Guest.FromWat("(module (global i32 (global.get 1)) (global i32 (i32.const 1)))"));
}
