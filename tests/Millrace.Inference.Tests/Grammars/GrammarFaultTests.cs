using Millrace.Inference.Grammars;

namespace Millrace.Inference.Tests.Grammars;

/// <summary>Grammars that llama.cpp refuses: where, and what it wanted.</summary>
public sealed class GrammarFaultTests : IAsyncLifetime
{
    readonly LocalWorker _worker = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _worker.DisposeAsync();

    [SkippableTheory]
    [InlineData("root ::= \"a\"\nword = \"b\"", "line 2, column 6: ::= is expected, not '='")]
    [InlineData("root ::= word\nword ::= [a-z", "line 2, column 10: what begins here has no ]")]
    [InlineData("root ::= (\"a\" | \"b\"", "line 1, column 20: a part of the group, | or ) is expected, not the end")]
    [InlineData("root ::= \"a\" )", "line 1, column 14: a part of a rule, | or the end of the line is expected, not ')'")]
    [InlineData("root ::= \"\\q\"", "line 1, column 12: one of x u U t r n \\ \" [ ] behind \\ is expected, not 'q'")]
    [InlineData("root ::= * \"a\"", "line 1, column 10: something to be repeated is expected, not '*'")]
    [InlineData("root ::= \"a\"{3", "line 1, column 15: } is expected, not the end")]
    [InlineData("root ::= \"a\"{30000}", "line 1, column 14: 30000 repetitions are too many; 2000 are possible")]
    [InlineData("# none\nroot ::= word\n", "line 2, column 10: there is no rule word")]
    [InlineData("start ::= \"a\"", "there is no rule root")]
    [InlineData("root ::= root \"a\" | \"a\"", "a rule begins with itself")]
    public async Task A_grammar_that_cannot_be_used_is_refused_with_its_place(string grammar, string words)
    {
        var job = new ChatJob(LocalWorker.Tiny, [], 5, new(0, 1, 1), []) { Prompt = "x", Format = AnswerFormat.Grammar(grammar) };

        var error = await Assert.ThrowsAsync<InferenceException>(() => _worker.Client.ChatAsync(job, _worker.Timeout));

        Assert.Equal("invalid", error.Type);
        Assert.Contains($"the grammar cannot be used: {words}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("root ::= (\"a\" [^\\]b] | .? word{2,} <[3]>)* # end\nword ::=\n  \"\\u0041\" | \"b\"{2}\n")]
    [InlineData("root ::= a\r\na ::= \"x\" |\n \"y\"+")]
    public void In_one_that_is_right_nothing_is_found(string grammar) => Assert.Null(GrammarFault.Find(grammar));
}
