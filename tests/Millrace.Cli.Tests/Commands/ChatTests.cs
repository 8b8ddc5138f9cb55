using System.Text.Json.Nodes;
using Millrace.Inference;

namespace Millrace.Cli.Tests.Commands;

/// <summary><c>millrace chat</c>, with the model that ships.</summary>
public sealed class ChatTests
{
    const string Tiny = "tinychat-q8_0";

    [SkippableFact]
    public async Task Each_line_of_the_input_is_answered_within_one_conversation()
    {
        Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);
        await using var shell = new Shell();

        var answer = await shell.RunAsync(["chat", Tiny, "--json"], "/set max_tokens 5\nhello\n\nand\\\nnow\n/exit\nnot this\n");

        var lines = answer.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal((0, 2), (answer.Code, lines.Count));
        Assert.All(lines, line => Assert.InRange((int)line["completion_tokens"]!, 1, 5));
        Assert.True((int)lines[1]["prompt_tokens"]! > (int)lines[0]["prompt_tokens"]!);
    }

    [SkippableFact]
    public async Task A_prompt_is_answered_whole()
    {
        Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);
        await using var shell = new Shell();

        var given = await shell.RunAsync(["chat", Tiny, "-p", "hello", "--json"]);
        var read = await shell.RunAsync(["chat", Tiny, "-p", "-"], "two\nlines\n");

        Assert.NotNull((string?)given.Json["content"]);
        Assert.Equal((0, 0), (given.Code, read.Code));
        Assert.EndsWith("\n", read.Output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_format_is_named_in_place_of_the_files_own()
    {
        Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);
        await using var shell = new Shell();

        var own = await shell.RunAsync(["chat", Tiny, "-p", "hello", "--json"]);
        var same = await shell.RunAsync(["chat", Tiny, "-p", "hello", "--json", "--template", "chatml"]);
        var other = await shell.RunAsync(["chat", Tiny, "-p", "hello", "--json", "--template", "wizard-coder"]);
        var unknown = await shell.RunAsync(["chat", Tiny, "-p", "hello", "--template", "llama-9"]);

        Assert.Equal((int)own.Json["prompt_tokens"]!, (int)same.Json["prompt_tokens"]!);
        Assert.True((int)other.Json["prompt_tokens"]! > (int)own.Json["prompt_tokens"]!);
        Assert.NotEqual(0, unknown.Code);
        Assert.Contains("there is no template llama-9; known are: baichuan-2,", unknown.Words, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_conversation_is_written_and_taken_up_again()
    {
        Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);
        await using var shell = new Shell();
        var file = Path.Combine(shell.Data, "talk.json");

        var first = await shell.RunAsync(["chat", Tiny, "--system", "Be brief."], $"/set max_tokens 3\nhello\n/save {file}\n");
        var second = await shell.RunAsync(["chat", Tiny], $"/load {file}\n/system\n/model\n");
        var saved = JsonNode.Parse(await File.ReadAllTextAsync(file))!;

        Assert.Contains($"2 turns written to {file}", first.Words, StringComparison.Ordinal);
        Assert.Equal(["user", "assistant"], saved["turns"]!.AsArray().Select(turn => (string?)turn!["role"]));
        Assert.Contains($"2 turns of a conversation with {Tiny}", second.Words, StringComparison.Ordinal);
        Assert.Contains("Be brief.", second.Words, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "a[2Jb\n")]
    [InlineData(false, "a\u001b[2J\u0007b\n")]
    public void What_could_steer_a_terminal_is_kept_from_a_terminal_and_from_nothing_else(bool isTerminal, string shown)
    {
        using var output = new StringWriter();
        // Somebody sits there, or a pipe does: what counts is where the words go.
        var screen = new Screen(TextReader.Null, output, TextWriter.Null) { IsInteractive = !isTerminal, IsOutputTerminal = isTerminal };

        screen.Write("a\u001b[2J\u0007b\n");

        Assert.Equal(shown, output.ToString());
    }

    [SkippableFact]
    public async Task What_is_mistyped_is_said_and_the_conversation_goes_on()
    {
        Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);
        await using var shell = new Shell();

        var answer = await shell.RunAsync(["chat", Tiny], string.Join('\n',
            "hello", "/set max_tokens 99999", "and now?", "/nothing", "/set heat 1", "/set temperature 9", "/set temperature", "/load", $"/load {typeof(ChatTests).Assembly.Location}", "/load /no/such/file", "/model none", "/help", "/clear"));
        var missing = await shell.RunAsync(["chat", "nothing-like-it"]);

        Assert.Equal((1, 2), (answer.Code, missing.Code));
        Assert.Contains("and 99999 of answer exceed the context of", answer.Words, StringComparison.Ordinal);
        Assert.DoesNotContain("forgotten", answer.Words, StringComparison.Ordinal);
        Assert.Contains("is no conversation of /save", answer.Words, StringComparison.Ordinal);
        Assert.Contains("there is no /nothing", answer.Words, StringComparison.Ordinal);
        Assert.Contains("there is no setting heat; there are: max_tokens", answer.Words, StringComparison.Ordinal);
        Assert.Contains("temperature is a number from 0 to 2", answer.Words, StringComparison.Ordinal);
        Assert.Contains("write /set NAME NUMBER", answer.Words, StringComparison.Ordinal);
        Assert.Contains("name a file", answer.Words, StringComparison.Ordinal);
        Assert.Contains("/no/such/file: ", answer.Words, StringComparison.Ordinal);
        Assert.Contains("there is no model none", answer.Words, StringComparison.Ordinal);
        Assert.Contains("begun anew", answer.Words, StringComparison.Ordinal);
    }
}
