using System.Text;
using Millrace.Inference.Worker;

namespace Millrace.Inference.Tests.Worker;

/// <summary>What of an answer may be handed out when.</summary>
public sealed class AnswerTextTests
{
    [Fact]
    public void Characters_come_whole_however_their_bytes_are_cut()
    {
        const string Text = "Grüße, 世界 🌍!";
        var bytes = Encoding.UTF8.GetBytes(Text);
        for (var size = 1; size < bytes.Length; size++)
        {
            var answer = new AnswerText([]);
            var parts = bytes.Chunk(size).Select(chunk => answer.Add(chunk)).Append(answer.Finish()).ToList();

            Assert.Equal(Text, string.Concat(parts));
            Assert.DoesNotContain(parts, part => part.Contains('\uFFFD') || (part.Length > 0 && char.IsHighSurrogate(part[^1])));
        }
    }

    [Fact]
    public void Bytes_that_are_no_characters_are_replaced_and_the_rest_stands()
    {
        var answer = new AnswerText([]);

        var text = answer.Add([0xFF, (byte)'a', 0xE2, 0x82]) + answer.Add([(byte)'b', 0xF0, 0x9F]) + answer.Finish();

        Assert.Equal("\uFFFDa\uFFFDb\uFFFD", text);
    }

    [Fact]
    public void What_may_begin_a_stop_text_is_held_back()
    {
        var answer = new AnswerText(["END.", "</s>"]);

        Assert.Equal("a ", answer.Add("a EN"u8));
        Assert.Equal("ENd ", answer.Add("d E"u8));
        Assert.Equal("", answer.Add("ND. and more"u8));
        Assert.True(answer.IsStopped);
        Assert.Equal("", answer.Finish());
    }

    [Fact]
    public void From_a_calls_mark_on_nothing_is_handed_out()
    {
        var answer = new AnswerText([], "<tool_call>");

        Assert.Equal("well ", answer.Add("well <tool"u8));
        Assert.Equal("", answer.Add("_call>{\"name\""u8));
        Assert.Equal("", answer.Finish());
        Assert.Equal("<tool_call>{\"name\"", answer.Calls);
    }
}
