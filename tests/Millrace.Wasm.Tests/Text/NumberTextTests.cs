using System.Globalization;
using Millrace.Wasm.Text;

namespace Millrace.Wasm.Tests.Text;

public sealed class NumberTextTests
{
    [Theory]
    [InlineData("0", nameof(TokenKind.Natural))]
    [InlineData("1_000", nameof(TokenKind.Natural))]
    [InlineData("0xdead_BEEF", nameof(TokenKind.Natural))]
    [InlineData("-1", nameof(TokenKind.Signed))]
    [InlineData("+0x7", nameof(TokenKind.Signed))]
    [InlineData("1.", nameof(TokenKind.Float))]
    [InlineData("1e-7", nameof(TokenKind.Float))]
    [InlineData("0x1.8p+3", nameof(TokenKind.Float))]
    [InlineData("-inf", nameof(TokenKind.Float))]
    [InlineData("nan:0x7f_ffff", nameof(TokenKind.Float))]
    [InlineData("1__0", nameof(TokenKind.Reserved))]
    [InlineData("1_", nameof(TokenKind.Reserved))]
    [InlineData("0x", nameof(TokenKind.Reserved))]
    [InlineData("1e", nameof(TokenKind.Reserved))]
    [InlineData("0x1.p", nameof(TokenKind.Reserved))]
    [InlineData("+", nameof(TokenKind.Reserved))]
    [InlineData("0drop", nameof(TokenKind.Reserved))]
    public void Atoms_have_one_class(string atom, string kind) =>
        Assert.Equal(kind, NumberText.Classify(atom).ToString());

    [Theory]
    [InlineData("0xffffffff", 32, 0xffffffffUL)]
    [InlineData("-0x80000000", 32, 0x80000000UL)]
    [InlineData("18446744073709551615", 64, ulong.MaxValue)]
    [InlineData("-9223372036854775808", 64, 0x8000000000000000UL)]
    [InlineData("-1", 8, 0xffUL)]
    public void Integers_become_two_s_complement(string atom, int width, ulong expected)
    {
        Assert.True(NumberText.TryInteger(atom, width, out var bits));
        Assert.Equal(expected, bits);
    }

    [Theory]
    [InlineData("0x100000000", 32)]
    [InlineData("-0x80000001", 32)]
    [InlineData("18446744073709551616", 64)]
    [InlineData("256", 8)]
    [InlineData("99999999999999999999999999", 32)]
    public void Integers_beyond_their_width_are_refused(string atom, int width) =>
        Assert.False(NumberText.TryInteger(atom, width, out _));

    [Theory]
    [InlineData("0x1p-149", 0x00000001u)]
    [InlineData("0x1p-150", 0x00000000u)]
    [InlineData("0x1.000002p-150", 0x00000001u)]
    [InlineData("0x1.00000000000000000000000000001p-150", 0x00000001u)]
    [InlineData("0x1.fffffep127", 0x7f7fffffu)]
    [InlineData("0x1.000001p0", 0x3f800000u)]
    [InlineData("0x1.000003p0", 0x3f800002u)]
    [InlineData("0x0.fffffffp-126", 0x00800000u)]
    [InlineData("-0x0p0", 0x80000000u)]
    [InlineData("nan", 0x7fc00000u)]
    [InlineData("-nan:0x1", 0xff800001u)]
    [InlineData("-inf", 0xff800000u)]
    [InlineData("1e-45", 0x00000001u)]
    [InlineData("16777217.0000000000000000000001", 0x4b800001u)]
    [InlineData("0x123456789abcdef0123456789p-64", 0x4f91a2b4u)]
    public void Floats_round_to_the_nearest_even(string atom, uint expected)
    {
        Assert.True(NumberText.TryFloat32(atom, out var bits));
        Assert.Equal(expected, bits);
    }

    [Theory]
    [InlineData("0x1p128")]
    [InlineData("0x1.ffffffp127")]
    [InlineData("1e39")]
    [InlineData("nan:0x0")]
    [InlineData("nan:0x800000")]
    [InlineData("0x1p99999999999999999999")]
    public void Floats_beyond_their_range_are_refused(string atom) =>
        Assert.False(NumberText.TryFloat32(atom, out _));

    [Fact]
    public void Hexadecimal_doubles_agree_with_decimal_ones()
    {
        var random = new Random(20261125);

        for (var i = 0; i < 20_000; i++)
        {
            var bits = (ulong)random.NextInt64(0, 0x7ff0_0000_0000_0000);
            var decimalText = BitConverter.UInt64BitsToDouble(bits).ToString("E17", CultureInfo.InvariantCulture);
            var exponent = (int)(bits >> 52);
            var fraction = bits & 0xfffffffffffff;
            var hexText = $"0x{(exponent == 0 ? 0 : 1)}.{fraction:x13}p{(exponent == 0 ? -1022 : exponent - 1023)}";

            Assert.True(NumberText.TryFloat64(decimalText.Replace("E", "e", StringComparison.Ordinal), out var one));
            Assert.True(NumberText.TryFloat64(hexText, out var other));
            Assert.Equal(bits, one);
            Assert.Equal(bits, other);
        }
    }
}
