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
