using Millrace.Flows;

namespace Millrace.Server.Tests;

public class ModelCheckTests
{
    static Task<ModelCheckReport> Run(Func<CheckTask, string> answer)
    {
        var next = 0;
        return ModelCheck.RunAsync("scripted", (_, _) => Task.FromResult(
            new ChatAnswer(answer(CheckTasks.All[next++]), "stop", 1, 1)), null, default);
    }

    [Fact]
    public async Task A_model_that_reads_the_diffs_passes()
    {
        var report = await Run(task => task.Answer);

        Assert.Equal((true, 10, 10, ""), (report.Passed, report.Right, report.Asked, report.Reason));
    }

    [Fact]
    public async Task Answers_wrapped_in_markup_and_a_sentence_are_right()
    {
        var report = await Run(task => $"<think>hm, 17?</think>The answer is: **`{task.Answer.ToUpperInvariant()}`**.");

        Assert.True(report.Passed);
    }

    [Fact]
    public async Task Two_wrong_answers_pass_and_three_do_not()
    {
        var asked = 0;
        Assert.True((await Run(task => asked++ < 2 ? "?" : task.Answer)).Passed);

        asked = 0;
        var report = await Run(task => asked++ < 3 ? "?" : task.Answer);

        Assert.False(report.Passed);
        Assert.Equal(3, report.Asked);
        Assert.Contains("0 of 3", report.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("A B C D 1 2 3 4 5 8 12 30 40 250 owner anyone nobody Load ReadAll net/client.py log.info(\"fetched\")")]
    [InlineData("I cannot help with that.")]
    public async Task An_answer_to_everything_or_nothing_fails(string answer)
    {
        Assert.False((await Run(_ => answer)).Passed);
    }

    [Fact]
    public async Task A_model_that_cannot_be_asked_fails_with_its_reason()
    {
        var report = await ModelCheck.RunAsync(
            "gone", (_, _) => throw new LanguageModelException("model-unavailable", "no such model"), null, default);

        Assert.Equal((false, "no such model"), (report.Passed, report.Reason));
    }

    [Fact]
    public void Every_task_is_answerable_and_small()
    {
        Assert.Equal(10, CheckTasks.All.Length);
        Assert.All(CheckTasks.All, task =>
        {
            Assert.True(ModelCheck.IsRight(task, task.Answer));
            Assert.All(task.Wrong, wrong => Assert.False(ModelCheck.IsRight(task, wrong)));
            // No tokenizer makes more than one token of two bytes of such text: under 400 with the instruction.
            Assert.InRange(task.Diff.Length + task.Question.Length, 1, 640);
        });
    }
}
