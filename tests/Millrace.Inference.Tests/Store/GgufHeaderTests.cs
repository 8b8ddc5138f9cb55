using System.Text;

namespace Millrace.Inference.Tests.Store;

/// <summary>The header of GGUF files, whole and damaged.</summary>
public sealed class GgufHeaderTests
{
    const int FuzzRounds = 20_000;

    [Fact]
    public void Metadata_of_every_type_and_the_tensors_are_read()
    {
        var header = Read(Sample());

        Assert.Equal(("llama", 2048ul, "{{ x }}", "mit"), (header.Architecture, header.ContextTokens, header.ChatTemplate, header.Licence));
        Assert.Equal((3u, 1050ul, "Q4_K", 2), (header.Version, header.Parameters, header.MainType, header.Tensors));
        Assert.Equal(-5L, header.Values["i8"]);
        Assert.Equal(0.5, header.Values["f32"]);
        Assert.Equal(true, header.Values["bool"]);
        Assert.Equal(new GgufArray(2), header.Values["texts"]);
        Assert.Equal(new GgufArray(1), header.Values["nested"]);
    }

    [Fact]
    public void The_model_that_ships_tells_what_it_is()
    {
        var header = GgufHeader.Read(Path.Combine(AppContext.BaseDirectory, "models", "tinychat-q8_0.gguf"));

        Assert.Equal("llama", header.Architecture);
        Assert.NotNull(header.ChatTemplate);
        Assert.Equal("Q8_0", header.MainType);
    }

    [Theory]
    [InlineData("", "the file is empty")]
    [InlineData("GG", "it does not begin with GGUF")]
    [InlineData("HTML", "it does not begin with GGUF")]
    [InlineData("GGUF", "it ends before its header does")]
    [InlineData("GGUF\u0001\0\0\0", "its format version is 1; known are 2 to 3")]
    [InlineData("GGUF\0\0\0\u0003", "it is written for big-endian machines")]
    public void What_is_no_such_file_is_said(string bytes, string words)
    {
        var refused = Assert.Throws<InferenceException>(() => Read(Encoding.Latin1.GetBytes(bytes)));

        Assert.StartsWith("m.gguf is not a usable GGUF model: " + words, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lengths_beyond_the_file_are_refused_before_memory_is_taken()
    {
        var many = Header(tensors: 1, entries: ulong.MaxValue);
        var text = Header(0, 1).Concat(Number(ulong.MaxValue)).Concat(new byte[64]).ToArray();
        var array = Header(0, 1).Concat(Text("k")).Concat(Number(9u)).Concat(Number(4u)).Concat(Number(1ul << 60)).ToArray();

        Assert.Contains("announces 18446744073709551615 entries", Refused(many.Concat(new byte[64]).ToArray()), StringComparison.Ordinal);
        Assert.Contains("a text of 18446744073709551615 bytes", Refused(text), StringComparison.Ordinal);
        Assert.Contains("elements, more than the file has room for", Refused(array), StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_of_more_than_any_model_has_is_refused_before_memory_is_taken()
    {
        var entries = Header(0, 65_537).Concat(new byte[13 * 65_537]).ToArray();
        var type = Header(1, 0).Concat(Text("t")).Concat(Number(0u)).Concat(Number(256u)).Concat(Number(0ul)).ToArray();

        Assert.Contains("it announces 65537 entries; at most 65536 are taken", Refused(entries), StringComparison.Ordinal);
        Assert.Contains("tensor 0 is of type 256; at most 255 are taken", Refused(type), StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_headers_are_refused_and_nothing_else_happens()
    {
        var (chance, whole) = (new Random(20260101), Sample());
        for (var round = 0; round < FuzzRounds; round++)
        {
            var bytes = whole[..(round % 3 == 0 ? chance.Next(whole.Length) : whole.Length)];
            for (var i = chance.Next(4); i >= 0 && bytes.Length > 0; i--) bytes[chance.Next(bytes.Length)] = (byte)chance.Next(256);
            try
            {
                Read(bytes);
            }
            catch (InferenceException e)
            {
                Assert.Equal("invalid", e.Type);
            }
        }
    }

    static string Refused(byte[] bytes) => Assert.Throws<InferenceException>(() => Read(bytes)).Message;

    static GgufHeader Read(byte[] bytes) => GgufHeader.Read(new MemoryStream(bytes), "m.gguf");

    static byte[] Sample() =>
    [
        .. Header(tensors: 2, entries: 9),
        .. Text("general.architecture"), .. Number(8u), .. Text("llama"),
        .. Text("general.license"), .. Number(8u), .. Text("mit"),
        .. Text("llama.context_length"), .. Number(4u), .. Number(2048u),
        .. Text("tokenizer.chat_template"), .. Number(8u), .. Text("{{ x }}"),
        .. Text("i8"), .. Number(1u), 0xfb,
        .. Text("f32"), .. Number(6u), .. BitConverter.GetBytes(0.5f),
        .. Text("bool"), .. Number(7u), 1,
        .. Text("texts"), .. Number(9u), .. Number(8u), .. Number(2ul), .. Text("a"), .. Text("b"),
        .. Text("nested"), .. Number(9u), .. Number(9u), .. Number(1ul), .. Number(0u), .. Number(3ul), 1, 2, 3,
        .. Text("norm"), .. Number(1u), .. Number(50ul), .. Number(0u), .. Number(0ul),
        .. Text("weights"), .. Number(2u), .. Number(10ul), .. Number(100ul), .. Number(12u), .. Number(0ul),
    ];

    static byte[] Header(ulong tensors, ulong entries) => [.. "GGUF"u8, .. Number(3u), .. Number(tensors), .. Number(entries)];

    static byte[] Text(string text) => [.. Number((ulong)text.Length), .. Encoding.UTF8.GetBytes(text)];

    static byte[] Number(uint number) => BitConverter.GetBytes(number);

    static byte[] Number(ulong number) => BitConverter.GetBytes(number);
}
