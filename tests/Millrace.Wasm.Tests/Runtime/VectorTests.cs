using System.Runtime.Intrinsics;

namespace Millrace.Wasm.Tests.Runtime;

public sealed class VectorTests
{
    static readonly Vector128<byte> Bytes = Vector128<byte>.Indices + Vector128.Create((byte)0xF0);

    [Fact]
    public void Vectors_cross_the_border_in_both_directions()
    {
        var seen = new List<Value>();
        using var guest = Guest.FromWat("""
            (module
              (import "" "f" (func $f (param i32 v128 f64 v128) (result v128 i64 v128)))
              (func (export "f") (param i32 v128 f64 v128) (result v128 i64 v128)
                (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
            """,
            define: linker => linker.Define("", "f",
                FunctionType.Of([ValueType.I32, ValueType.V128, ValueType.F64, ValueType.V128],
                    [ValueType.V128, ValueType.I64, ValueType.V128]),
                (_, arguments, results) =>
                {
                    seen.AddRange(arguments);
                    (results[0], results[1], results[2]) = (arguments[3], Value.From(-5L), arguments[1]);
                }));

        var results = guest.Call("f", Value.From(3), Value.From(Bytes), Value.From(1.5), Value.From(~Bytes));

        Assert.Equal((3, Bytes, 1.5, ~Bytes), (seen[0].AsI32, seen[1].AsV128, seen[2].AsF64, seen[3].AsV128));
        Assert.Equal((~Bytes, -5L, Bytes), (results[0].AsV128, results[1].AsI64, results[2].AsV128));
    }

    [Fact]
    public void Globals_hold_all_bits_of_a_vector()
    {
        using var guest = Guest.FromWat("""
            (module
              (global $a (export "a") (mut v128) (v128.const i64x2 1 -2))
              (global $b (export "b") v128 (v128.const i64x2 3 4))
              (func (export "set") (param v128) (global.set $a (local.get 0)))
              (func (export "get") (result v128) (global.get $a)))
            """);
        var a = guest.Instance.FindGlobal("a")!;
        Assert.Equal(Vector128.Create(1L, -2).AsByte(), a.Value.AsV128);

        guest.Call("set", Value.From(Bytes));
        Assert.Equal(Bytes, a.Value.AsV128);
        a.Value = Value.From(~Bytes);

        Assert.Equal(~Bytes, guest.Call("get")[0].AsV128);
        Assert.Equal(Vector128.Create(3L, 4).AsByte(), guest.Instance.FindGlobal("b")!.Value.AsV128);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 20)]
    [InlineData(2, 31)]
    [InlineData(9, 31)]
    public void Vectors_travel_through_calls_tables_and_branches(int choice, int expected)
    {
        using var guest = Guest.FromWat("""
            (module
              (type $two (func (param v128 i32) (result v128 v128)))
              (table funcref (elem $first $second))
              (func $first (type $two) (i32x4.splat (i32.const 10)) (local.get 0))
              (func $second (type $two) (i32x4.splat (i32.const 20)) (local.get 0))
              (func (export "f") (param i32) (result i32) (local $zero v128)
                (block $other (result v128)
                  (block $call (result v128)
                    (br_table $call $call $other (v128.const i32x4 1 1 1 1) (local.get 0)))
                  (call_indirect (type $two) (i32.const 7) (local.get 0))
                  (select (local.get 0))
                  (br_if $other (v128.any_true (local.get $zero)))
                  (i32x4.extract_lane 3)
                  (return))
                (if (param v128) (result v128) (i32.const 1) (then (i32x4.add (v128.const i32x4 0 0 0 30))))
                (i32x4.extract_lane 3)))
            """);

        Assert.Equal(expected, guest.CallI32("f", Value.From(choice)));
    }

    [Theory]
    [InlineData("f32x4.mul (local.get 0) (v128.const f32x4 1 1 1 1)")]
    [InlineData("f32x4.div (local.get 0) (v128.const f32x4 1 1 1 1)")]
    [InlineData("f32x4.sub (local.get 0) (v128.const f32x4 0 0 0 0)")]
    [InlineData("f32x4.add (v128.const f32x4 -0 -0 -0 -0) (local.get 0)")]
    [InlineData("f32x4.add (local.get 0) (v128.const i64x2 0x7f8000017f800001 0x7f8000017f800001)")]
    [InlineData("f32x4.mul (v128.const i64x2 0x7f8000017f800001 0x7f8000017f800001) (local.get 0)")]
    [InlineData("f32x4.mul (local.get 0) (f32x4.splat (f32.const 1))")]
    [InlineData("f32x4.mul (local.get 0) (local.tee $v (v128.const f32x4 1 1 1 1))")]
    [InlineData("f32x4.sub (local.get 0) (local.get $v)")]
    [InlineData("f32x4.sub (local.get 0) (block (result v128) (v128.const f32x4 0 0 0 0))")]
    [InlineData("f32x4.mul (local.get 0) (call $one)")]
    [InlineData("f32x4.relaxed_madd (local.get 0) (v128.const f32x4 1 1 1 1) (v128.const f32x4 -0 -0 -0 -0)")]
    [InlineData("f32x4.min (local.get 0) (v128.const f32x4 1 1 1 1)")]
    [InlineData("f32x4.ceil (local.get 0)")]
    [InlineData("f32x4.sqrt (v128.const i64x2 0x7f8000017f800001 0x7f8000017f800001)")]
    public void A_signalling_NaN_comes_out_quiet(string instruction)
    {
        using var guest = Guest.FromWat($"""
            (module
              (func $one (result v128) (v128.const f32x4 1 1 1 1))
              (func (export "f") (param v128) (result v128) (local $v v128) ({instruction})))
            """);

        var result = guest.Call("f", Value.From(Vector128.Create(0x7F800001).AsByte()))[0].AsV128.AsInt32();

        Assert.Equal(Vector128.Create(0x7FC00000), result & Vector128.Create(0x7FC00000));
    }

    [Theory]
    [InlineData("f32x4.extract_lane 1 (v128.const i64x2 0x7f8000017f800001 0)")]
    [InlineData("f32x4.extract_lane 1 (local.get $v)")]
    [InlineData("f32x4.extract_lane 2 (f32x4.splat (f32.const nan:0x1))")]
    [InlineData("f32x4.extract_lane 0 (f32x4.replace_lane 0 (local.get $v) (f32.const nan:0x1))")]
    [InlineData("f32x4.extract_lane 1 (f32x4.neg (f32x4.neg (local.get $v)))")]
    public void A_signalling_NaN_that_is_only_moved_stays_as_it_is(string instruction)
    {
        using var guest = Guest.FromWat($"""
            (module
              (func (export "f") (result f32) (local $v v128)
                (local.set $v (v128.const i64x2 0x7f8000017f800001 0))
                ({instruction})))
            """);

        Assert.Equal(0x7F800001, guest.CallI32("f"));
    }
}
