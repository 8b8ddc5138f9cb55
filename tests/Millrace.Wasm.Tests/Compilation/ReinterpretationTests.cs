namespace Millrace.Wasm.Tests.Compilation;

/// <summary>Small loads whose bits are read as a float, where RyuJIT would load more than was asked for.</summary>
public sealed class ReinterpretationTests
{
    [Theory]
    [InlineData("f32.reinterpret_i32", "i32.load8_s", 0xFFFF_FFFF)]
    [InlineData("f32.reinterpret_i32", "i32.load8_u", 0xFF)]
    [InlineData("f32.reinterpret_i32", "i32.load16_s", 0xFFFF_FFFE)]
    [InlineData("f32.reinterpret_i32", "i32.load16_u", 0xFFFE)]
    [InlineData("f64.reinterpret_i64", "i64.load8_s", ulong.MaxValue)]
    [InlineData("f64.reinterpret_i64", "i64.load8_u", 0xFF)]
    [InlineData("f64.reinterpret_i64", "i64.load16_s", 0xFFFF_FFFF_FFFF_FFFE)]
    [InlineData("f64.reinterpret_i64", "i64.load16_u", 0xFFFE)]
    [InlineData("f64.reinterpret_i64", "i64.load32_s", 0xFFFF_FFFF_FFFE_FCFC)]
    [InlineData("f64.reinterpret_i64", "i64.load32_u", 0xFFFE_FCFC)]
    public void A_small_load_at_the_end_of_memory_is_read_as_a_float_with_its_own_bits(
        string reinterpretation, string load, ulong expected)
    {
        var bytes = load.Contains('8', StringComparison.Ordinal) ? 1 : load.Contains("16", StringComparison.Ordinal) ? 2 : 4;
        var type = reinterpretation[..3];
        using var guest = Guest.FromWat($"""
            (module
              (memory 1)
              (data (i32.const 8) "\00\00\00\00\ff\ff\ff\ff")
              (data (i32.const 65532) "\fc\fc\fe\ff")
              (func (export "f") (param $at i32) (result {type}) ({reinterpretation} ({load} (local.get $at)))))
            """);

        // The last bytes, and zeros that are followed by others.
        var (last, inside) = (guest.Call("f", Value.From(65536 - bytes))[0], guest.Call("f", Value.From(12 - bytes))[0]);

        Assert.Equal(expected, type == "f32" ? BitConverter.SingleToUInt32Bits(last.AsF32) : BitConverter.DoubleToUInt64Bits(last.AsF64));
        Assert.Equal(0, type == "f32" ? inside.AsF32 : inside.AsF64);
    }
}
