using System.Collections.Immutable;
using Millrace.Inference.Worker;

namespace Millrace.Inference.Tests.Worker;

/// <summary>What one side writes, the other one reads.</summary>
public sealed class FrameTests
{
    static async Task<Frame> ThereAsync(Frame frame)
    {
        using var stream = new MemoryStream();
        await Frame.WriteAsync(stream, frame, default);
        // Something behind it, which is not to be touched.
        stream.WriteByte(1);
        stream.Position = 0;
        var read = await Frame.ReadAsync(stream, default);
        Assert.Equal(stream.Length - 1, stream.Position);
        return read!;
    }

    [Theory]
    [InlineData("")]
    [InlineData(" the")]
    [InlineData("Grüße, 世界 🌍 \"\\\0")]
    public async Task A_piece_of_text_comes_as_it_is(string text)
    {
        var read = await ThereAsync(new(FrameKind.Part, long.MaxValue) { Part = new(text) });

        Assert.Equal((FrameKind.Part, long.MaxValue, text), (read.Kind, read.Id, read.Part!.Text));
        Assert.True(read.Part.Tokens.IsEmpty);
        Assert.Null(read.Part.End);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Raw_bytes_come_as_they_are_and_say_whether_they_are_the_end(bool isEnd)
    {
        var read = await ThereAsync(new(FrameKind.Part, 7) { IsRaw = isEnd, Body = new byte[] { 0xFF, 0, 3 } });

        Assert.Equal((FrameKind.Part, 7L, isEnd), (read.Kind, read.Id, read.IsRaw));
        Assert.Equal([0xFF, 0, 3], read.Body.ToArray());
        Assert.Null(read.Part);
    }

    [Fact]
    public async Task Chances_and_an_end_come_with_their_piece()
    {
        var tokens = ImmutableArray.Create(new TokenChoice("a", [97], -0.5));
        var part = new ChatPart("a") { Tokens = tokens, End = new("stop", 3, 2, 1) };

        var read = await ThereAsync(new(FrameKind.Part, 7) { Part = part });

        Assert.Equal(("a", "stop", -0.5), (read.Part!.Text, read.Part.End!.FinishReason, read.Part.Tokens[0].Logprob));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0, 3, 0, 0, 0, 1, 2, 3 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 1, 0, 0, 0, 255, 255, 255, 127, 1 })]
    public async Task What_is_no_frame_is_refused(byte[] bytes) =>
        await Assert.ThrowsAsync<InvalidDataException>(() => Frame.ReadAsync(new MemoryStream(bytes), default));
}
