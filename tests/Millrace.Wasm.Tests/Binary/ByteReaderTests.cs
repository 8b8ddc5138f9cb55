using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Tests.Binary;

public sealed class ByteReaderTests
{
    [Theory]
    [InlineData("00", 0u)]
    [InlineData("7F", 127u)]
    [InlineData("8001", 128u)]
    [InlineData("8000", 0u)] // more bytes than needed are fine
    [InlineData("8080808000", 0u)]
    [InlineData("FFFFFFFF0F", uint.MaxValue)]
    public void Reads_unsigned_integers_of_32_bits(string hex, uint expected) =>
        Assert.Equal(expected, Reader(hex).U32());

    [Theory]
    [InlineData("00", 0)]
    [InlineData("7F", -1)]
    [InlineData("40", -64)]
    [InlineData("C000", 64)]
    [InlineData("FFFFFFFF07", int.MaxValue)]
    [InlineData("8080808078", int.MinValue)]
    [InlineData("FFFFFFFF7F", -1)]
    public void Reads_signed_integers_of_32_bits(string hex, int expected) => Assert.Equal(expected, Reader(hex).S32());

    [Theory]
    [InlineData("7F", -1L)]
    [InlineData("FFFFFFFFFFFFFFFFFF00", long.MaxValue)]
    [InlineData("8080808080808080807F", long.MinValue)]
    [InlineData("FFFFFFFFFFFFFFFFFF7F", -1L)]
    public void Reads_signed_integers_of_64_bits(string hex, long expected) =>
        Assert.Equal(expected, Reader(hex).S64());

    [Theory]
    [InlineData("FFFFFFFF0F", (1L << 32) - 1)]
    [InlineData("8080808070", -(1L << 32))]
    public void Reads_signed_integers_of_33_bits(string hex, long expected) =>
        Assert.Equal(expected, Reader(hex).S33());

    [Theory]
    [InlineData("FFFFFFFFFFFFFFFFFF01", ulong.MaxValue)]
    [InlineData("80808080808080808001", 1UL << 63)]
    public void Reads_unsigned_integers_of_64_bits(string hex, ulong expected) =>
        Assert.Equal(expected, Reader(hex).U64());

    [Theory]
    [InlineData("u32", "808080808000", "integer representation too long")]
    [InlineData("u32", "FFFFFFFF1F", "integer too large")]
    [InlineData("u32", "8080808010", "integer too large")]
    [InlineData("u32", "8080", "unexpected end of section or function")]
    [InlineData("s32", "808080808000", "integer representation too long")]
    [InlineData("s32", "FFFFFFFF0F", "integer too large")]
    [InlineData("s32", "8080808070", "integer too large")]
    [InlineData("s32", "FFFFFFFF4F", "integer too large")]
    [InlineData("s33", "FFFFFFFF1F", "integer too large")]
    [InlineData("s33", "8080808060", "integer too large")]
    [InlineData("u64", "8080808080808080808000", "integer representation too long")]
    [InlineData("u64", "80808080808080808002", "integer too large")]
    [InlineData("s64", "FFFFFFFFFFFFFFFFFF01", "integer too large")]
    [InlineData("s64", "8080808080808080807E", "integer too large")]
    [InlineData("s64", "8080808080808080808000", "integer representation too long")]
    public void Refuses_integers_beyond_their_width(string type, string hex, string reason)
    {
        var error = Assert.Throws<MalformedException>(() => { _ = Read(type, Reader(hex)); });

        Assert.Equal(reason, error.Reason);
    }

    [Fact]
    public void Reads_back_what_every_power_of_two_becomes()
    {
        for (var bit = 0; bit < 64; bit++)
        {
            var bytes = ModuleBytes.Leb(1UL << bit);

            Assert.Equal(1UL << bit, new ByteReader(bytes, 0, bytes.Length).U64());
        }
    }

    [Theory]
    [InlineData("02C3BC", "ü")]
    [InlineData("03EFBBBF", "\uFEFF")]
    [InlineData("00", "")]
    public void Reads_names(string hex, string expected) => Assert.Equal(expected, Reader(hex).Name());

    [Theory]
    [InlineData("01C3")] // cut short
    [InlineData("02C080")] // overlong
    [InlineData("03EDA080")] // a surrogate
    [InlineData("04F4908080")] // beyond the last code point
    public void Refuses_names_that_are_not_UTF8(string hex)
    {
        var error = Assert.Throws<MalformedException>(() => { _ = Reader(hex).Name(); });

        Assert.Equal("malformed UTF-8 encoding", error.Reason);
        Assert.Equal(1, error.Offset);
    }

    [Fact]
    public void Reports_an_integer_beyond_the_section_before_the_sections_end()
    {
        byte[] bytes = [0x80, 0x80, 0x80, 0x80, 0x80, 0x00];

        var tooLong = Assert.Throws<MalformedException>(() => { _ = new ByteReader(bytes, 0, 2).U32(); });
        var cut = Assert.Throws<MalformedException>(() => { _ = new ByteReader([0x80, 0x00], 0, 1).U32(); });

        Assert.Equal("integer representation too long", tooLong.Reason);
        Assert.Equal("unexpected end of section or function", cut.Reason);
    }

    static ByteReader Reader(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        return new ByteReader(bytes, 0, bytes.Length);
    }

    static object Read(string type, ByteReader reader) => type switch
    {
        "u32" => reader.U32(),
        "s32" => reader.S32(),
        "s33" => reader.S33(),
        "u64" => reader.U64(),
        _ => reader.S64(),
    };
}
