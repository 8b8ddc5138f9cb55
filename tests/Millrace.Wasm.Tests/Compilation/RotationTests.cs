using System.Numerics;

namespace Millrace.Wasm.Tests.Compilation;

/// <summary>Rotated values that are compared with zero, where RyuJIT's own rotations go wrong.</summary>
public sealed class RotationTests
{
    [Theory]
    [InlineData("i32", "rotl", 2)]
    [InlineData("i32", "rotr", 30)]
    [InlineData("i64", "rotl", 7)]
    [InlineData("i64", "rotr", 1)]
    public void A_branch_on_a_rotated_value_goes_where_it_must(string type, string rotation, int count)
    {
        using var guest = Guest.FromWat($"""
            (module
              (memory 1)
              (data (i32.const 8) "\04")
              (func (export "f") (param $at i32) (result i32)
                (block $is
                  (br_if $is ({type}.ne ({type}.{rotation} ({type}.load (local.get $at)) ({type}.const {count})) ({type}.const 0)))
                  (return (i32.const 0)))
                (i32.const 1)))
            """);

        Assert.Equal(0, guest.CallI32("f", Value.From(0)));
        Assert.Equal(1, guest.CallI32("f", Value.From(8)));
    }

    // X is the rotated value; each asks in its own way whether it is zero.
    [Theory]
    [InlineData("(i32.eqz (i32.eqz X))")]
    [InlineData("(if (result i32) X (then (i32.const 1)) (else (i32.const 0)))")]
    [InlineData("(select (i32.const 1) (i32.const 0) X)")]
    [InlineData("(i32.gt_u X (i32.const 0))")]
    [InlineData("(i32.ge_u X (i32.const 1))")]
    [InlineData("(i32.lt_u (i32.const 0) X)")]
    [InlineData("(i32.ne (local.get $zero) X)")]
    [InlineData("(i32.ne (i32.add X (i32.const 5)) (i32.const 5))")]
    [InlineData("(i32.ne (i32.xor X (local.get $zero)) (local.get $zero))")]
    [InlineData("(i64.ne (i64.extend_i32_u X) (i64.const 0))")]
    [InlineData("(i64.ne (i64.extend_i32_s X) (i64.const 0))")]
    [InlineData("(local.set $y X) (i32.ne (local.get $y) (i32.const 0))")]
    [InlineData("(global.set 0 X) (i32.ne (global.get 0) (i32.const 0))")]
    [InlineData("(i32.store (i32.const 32) X) (i32.ne (i32.load (i32.const 32)) (i32.const 0))")]
    [InlineData("(call $is X)")]
    [InlineData("(call_indirect (param i32) (result i32) X (i32.const 0))")]
    [InlineData("(call $is (call $rotated (i32.load (local.get $at))))")]
    [InlineData("(i32.ne (call $rotated (i32.load (local.get $at))) (i32.const 0))")]
    [InlineData("(i32.ne (i32.const 32) (i32.clz X))")]
    [InlineData("(i32.ne (i32.const 32) (i32.ctz X))")]
    [InlineData("(f64.ne (f64.convert_i32_u X) (f64.const 0))")]
    [InlineData("(block $a (block $b (br_table $b $a X)) (return (i32.const 0))) (i32.const 1)")]
    [InlineData("(block $a (br_if $a X) (return (i32.const 0))) (i32.const 1)")]
    [InlineData("(block $a (result i32) (br_if $a (i32.const 1) X) (drop) (i32.const 0))")]
    [InlineData("(loop $l (result i32) (block $a (br_if $a (local.tee $y X)) (return (i32.const 0))) (i32.const 1))")]
    public void A_rotated_value_is_compared_right_wherever_it_went(string question)
    {
        foreach (var (rotation, count) in (ReadOnlySpan<(string, string)>)
            [("rotl", "(i32.const 2)"), ("rotr", "(i32.const 30)"), ("rotl", "(local.get $at)")])
        {
            var rotated = $"(i32.{rotation} (i32.load (local.get $at)) {count})";
            using var guest = Guest.FromWat($"""
                (module
                  (memory 1)
                  (global (mut i32) (i32.const 0))
                  (table funcref (elem $is))
                  (data (i32.const 8) "\04")
                  (func $is (param i32) (result i32)
                    (if (result i32) (local.get 0) (then (i32.const 1)) (else (i32.const 0))))
                  (func $rotated (param $at i32) (result i32) (i32.{rotation} (local.get $at) (i32.const 2)))
                  (func (export "f") (param $at i32) (result i32) (local $zero i32) (local $y i32)
                    {question.Replace("X", rotated, StringComparison.Ordinal)})
                  (func (export "unless") (param $x i32) (result i32)
                    (if (result i32) (call $rotated (local.get $x)) (then (i32.const 1)) (else (i32.const 0)))))
                """);

            foreach (var name in (ReadOnlySpan<string>)["f", "unless"])
            {
                Assert.Equal(0, guest.CallI32(name, Value.From(0)));
                Assert.Equal(1, guest.CallI32(name, Value.From(8)));
            }
        }
    }

    [Fact]
    public void A_divisor_that_was_rotated_is_looked_at()
    {
        using var guest = Guest.FromWat("""
            (module
              (func (export "f") (param i32 i32) (result i32)
                (i32.div_u (local.get 0) (i32.rotl (local.get 1) (i32.const 3)))))
            """);

        Assert.Equal(5, guest.CallI32("f", Value.From(40), Value.From(1)));
        var trap = Assert.Throws<TrapException>(() => guest.CallI32("f", Value.From(40), Value.From(0)));
        Assert.Equal(TrapCode.IntegerDivideByZero, trap.Code);
    }

    [Fact]
    public void Rotations_are_those_of_the_processor()
    {
        using var guest = Guest.FromWat("""
            (module
              (func (export "l32") (param i32 i32) (result i32) (i32.rotl (local.get 0) (local.get 1)))
              (func (export "r32") (param i32 i32) (result i32) (i32.rotr (local.get 0) (local.get 1)))
              (func (export "l64") (param i64 i64) (result i64) (i64.rotl (local.get 0) (local.get 1)))
              (func (export "r64") (param i64 i64) (result i64) (i64.rotr (local.get 0) (local.get 1))))
            """);
        foreach (var bits in (ulong[])[0, 1, 0x8000_0000, 0xFFFF_FFFF, 0x8000_0000_0000_0001, 0x0123_4567_89AB_CDEF])
        {
            for (var count = -130; count <= 130; count++)
            {
                Value[] small = [Value.From((int)bits), Value.From(count)];
                Value[] large = [Value.From((long)bits), Value.From((long)count)];
                Assert.Equal((int)BitOperations.RotateLeft((uint)bits, count), guest.Call("l32", small)[0].AsI32);
                Assert.Equal((int)BitOperations.RotateRight((uint)bits, count), guest.Call("r32", small)[0].AsI32);
                Assert.Equal((long)BitOperations.RotateLeft(bits, count), guest.Call("l64", large)[0].AsI64);
                Assert.Equal((long)BitOperations.RotateRight(bits, count), guest.Call("r64", large)[0].AsI64);
            }
        }
    }
}
