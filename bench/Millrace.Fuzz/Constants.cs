using System.Globalization;

namespace Millrace.Fuzz;

/// <summary>Numbers at which something happens: edges of types, of memory, of shifts; NaNs, zeros, halves.</summary>
static class Constants
{
    static readonly long[] Edges =
    [
        0, 1, -1, 2, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x7fffffff,
        unchecked((int)0x80000000), 0x80000001, 0xffffffff, 0x100000000, long.MaxValue, long.MinValue, long.MinValue + 1,
        0x0101010101010101, 0x7f80000000000000, 0x5555555555555555,
    ];

    static readonly double[] Floats =
    [
        0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3.9999999, double.PositiveInfinity, double.NegativeInfinity,
        double.Epsilon, float.Epsilon, double.MaxValue, float.MaxValue, -float.MaxValue, 2147483647, 2147483648,
        -2147483648, -2147483649, 4294967295, 4294967296, 9223372036854775807.0, -9223372036854775808.0,
        18446744073709551616.0, 1e-310, 16777217, 9007199254740993, 3.141592653589793,
    ];

    public static int I32(Choices choices) => choices.Below(4) switch
    {
        0 => unchecked((int)choices.Bits()),
        1 => choices.Below(256) - 128,
        _ => unchecked((int)choices.Of(Edges)),
    };

    public static long I64(Choices choices) => choices.Below(4) switch
    {
        0 => unchecked((long)choices.Bits()),
        1 => choices.Below(256) - 128,
        _ => choices.Of(Edges),
    };

    /// <summary>Bits of an f32; a NaN is the canonical one.</summary>
    public static uint F32(Choices choices) => choices.Below(8) switch
    {
        0 => 0x7fc00000,
        1 => Number((float)BitConverter.UInt64BitsToDouble(choices.Bits())),
        2 => Number(BitConverter.UInt32BitsToSingle((uint)choices.Bits())),
        _ => Number((float)choices.Of(Floats)),
    };

    /// <summary>Bits of an f64; a NaN is the canonical one.</summary>
    public static ulong F64(Choices choices) => choices.Below(8) switch
    {
        0 => 0x7ff8000000000000,
        1 => Number(BitConverter.UInt64BitsToDouble(choices.Bits())),
        _ => Number(choices.Of(Floats)),
    };

    /// <summary>An f32 by its bits, as the text format writes it.</summary>
    public static string Text(uint bits) => Text(
        BitConverter.UInt32BitsToSingle(bits), () => ((double)BitConverter.UInt32BitsToSingle(bits)).ToString("R", CultureInfo.InvariantCulture));

    /// <summary>An f64 by its bits, as the text format writes it.</summary>
    public static string Text(ulong bits) => Text(
        BitConverter.UInt64BitsToDouble(bits), () => BitConverter.UInt64BitsToDouble(bits).ToString("R", CultureInfo.InvariantCulture));

    static string Text(double value, Func<string> number) => value switch
    {
        double.NaN => "nan",
        double.PositiveInfinity => "inf",
        double.NegativeInfinity => "-inf",
        _ => number(),
    };

    static uint Number(float value) => float.IsNaN(value) ? 0x7fc00000 : BitConverter.SingleToUInt32Bits(value);

    static ulong Number(double value) => double.IsNaN(value) ? 0x7ff8000000000000 : BitConverter.DoubleToUInt64Bits(value);
}
