using System.Collections.Immutable;
using Millrace.Inference.Templates;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Tests.Templates;

/// <summary>The names that LlamaEdge's users give, and what prompt each stands for.</summary>
public sealed class NamedFormatsTests
{
    static readonly ImmutableArray<ChatTurn> Turns =
        [new("system", "Be brief."), new("user", "Hi"), new("assistant", "Hello."), new("user", "Who are you?")];

    static string Render(string name, params ReadOnlySpan<ChatTurn> turns) =>
        NamedFormats.Find(name)!.Render(turns.IsEmpty ? Turns : [.. turns], "<s>", "</s>");

    [Fact]
    public void Llama_2_wraps_the_system_into_the_first_user_turn() => Assert.Equal(
        "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello. </s><s>[INST] Who are you? [/INST]", Render("llama-2-chat"));

    [Fact]
    public void CodeLlama_is_written_as_Llama_2_and_its_largest_model_in_steps()
    {
        Assert.Equal(Render("llama-2-chat"), Render("codellama-instruct"));
        Assert.Equal(
            "<s>Source: user\n\n Hi <step> Source: assistant\nDestination: user\n\n ",
            Render("codellama-super-instruct", new ChatTurn("user", "Hi")));
    }

    [Fact]
    public void Mistral_has_its_instructions_in_brackets() => Assert.Equal(
        "<s>[INST] Be brief.\n\nHi [/INST] Hello.</s>[INST] Who are you? [/INST]", Render("mistral-instruct"));

    [Fact]
    public void OpenChat_names_the_speakers() => Assert.Equal(
        "<s>GPT4 Correct System: Be brief.<|end_of_turn|>GPT4 Correct User: Hi<|end_of_turn|>GPT4 Correct Assistant: Hello.<|end_of_turn|>"
            + "GPT4 Correct User: Who are you?<|end_of_turn|>GPT4 Correct Assistant:",
        Render("openchat"));

    [Fact]
    public void Belle_is_a_human_and_an_assistant()
    {
        Assert.Equal(
            "<s>Be brief.\n\nHuman: Hi\n\nAssistant: Hello.</s>Human: Who are you?\n\nAssistant: ", Render("belle-llama-2-chat"));
        Assert.Equal(Render("human-assistant"), Render("belle-llama-2-chat"));
    }

    [Fact]
    public void Yi_speaks_ChatML() => Assert.Equal(
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
            + "<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n",
        Render("chatml"));

    [Fact]
    public void A_format_with_words_of_its_own_says_them_only_where_the_conversation_has_none()
    {
        Assert.StartsWith("Below is an instruction", Render("wizard-coder", new ChatTurn("user", "Sort.")), StringComparison.Ordinal);
        Assert.StartsWith("Be brief.\n\n### Instruction:\nHi", Render("wizard-coder"), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_name_means_a_prompt_or_the_files_own_template()
    {
        Assert.Equal(NamedFormats.Names.Count(), NamedFormats.Names.Distinct().Count());
        Assert.Equal(67, NamedFormats.Names.Count());
        foreach (var name in NamedFormats.Names.Except(["embedding", "none", "tts"]))
        {
            if (NamedFormats.Find(name) is not { } format) continue;
            var prompt = format.Render(Turns, "<s>", "</s>");
            var places = Turns.Select(turn => prompt.IndexOf(turn.Content, StringComparison.Ordinal)).ToArray();

            Assert.DoesNotContain(-1, places);
            Assert.Equal(places.Order(), places);
            Assert.DoesNotContain('{', prompt);
        }
    }

    [Theory]
    [InlineData("llama-5-chat", "there is no template llama-5-chat; known are: baichuan-2,")]
    [InlineData("embedding", "hold no conversation")]
    public void A_name_that_means_no_conversation_is_refused(string name, string says)
    {
        var error = Assert.Throws<InferenceException>(() => NamedFormats.Find(name));

        Assert.Contains(says, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_turn_that_the_format_cannot_write_is_refused() => Assert.Contains(
        "knows system, user and assistant, not tool",
        Assert.Throws<InferenceException>(() => Render("zephyr", new ChatTurn("tool", "3"))).Message, StringComparison.Ordinal);

    [Fact]
    public void What_a_turn_says_is_no_mark() =>
        Assert.Contains("{eos} {text}", Render("chatml", new ChatTurn("user", "{eos} {text}")), StringComparison.Ordinal);

    [SkippableFact]
    public async Task A_format_is_what_the_models_own_template_writes()
    {
        var cases = ConformanceFolder.Read(Path.Combine("chat-templates", "google-gemma-2-2b-it.json"));
        var text = await RealTemplates.ReadAsync(cases.GetProperty("template").GetString()!, cases.GetProperty("sha256").GetString()!);
        ChatTurn[] turns = [new("user", " Hi "), new("assistant", "Hello."), new("user", "Who are you?")];
        var messages = new PyList([.. turns.Select(turn => new PyDict { ["role"] = turn.Role, ["content"] = turn.Content })]);
        var own = new Conversation(messages, true) { Variables = [new("bos_token", "<s>"), new("eos_token", "</s>")] };

        Assert.Equal(own.Render(ChatTemplate.Parse(text), FixedClock.Cases), Render("gemma-instruct", turns));
    }
}
