using Millrace.Inference.Native;
using Millrace.Inference.Worker;

namespace Millrace.Inference.Tests.Worker;

/// <summary>Sequences that share one memory, step by step.</summary>
public sealed class BatcherTests : IDisposable
{
    const int Cells = 600;

    // Many times what any of these answers takes.
    const int StepsMax = 10_000;

    readonly List<Frame> _sent = [];
    readonly LlamaModel _model;
    readonly Batcher _batcher;

    public BatcherTests()
    {
        var path = LocalWorker.Tiny;
        LlamaModel.LoadLibrary(NativeLibraries.LlamaFolder()!);
        _model = LlamaModel.Load(path, 0, new());
        var context = LlamaContext.Create(_model, new(Cells, 2 * Batcher.AtWorkMax, 256));
        _batcher = new(context, Cells, keeps: true, new(1, 1, 1));
    }

    public void Dispose()
    {
        _batcher.Dispose();
        _model.Dispose();
    }

    Answering Submit(long id, int tokens, Action<Frame>? send = null, int repeated = 1)
    {
        var job = new ChatJob("", [], tokens, new(0, 1, 1), []);
        var prompt = _model.Tokenize(string.Concat(Enumerable.Repeat($"This is the text of number {id}.", repeated)));
        // As long as it may be, whatever the model would say.
        var plan = new AnswerPlan(prompt, new("root ::= [a-z ]{1000} [a-z ]{1000}"), null);
        var answer = new Answering(_model, new(FrameKind.Chat, id) { Job = job }, plan, tokens, send ?? _sent.Add);
        _batcher.Submit(prompt, tokens, answer);
        return answer;
    }

    void Work()
    {
        for (var step = 0; step < StepsMax && _batcher.HasWork; step++) _batcher.Step();
        Assert.False(_batcher.HasWork);
    }

    ChatEnd End(long id) => Assert.Single(_sent, frame => frame.Id == id && frame.Kind == FrameKind.Reply).Part!.End!;

    [SkippableFact]
    public void Answers_of_which_one_fills_the_memory_are_written_one_after_the_other()
    {
        for (var id = 1; id <= 3; id++) Submit(id, Cells - 40);

        Work();

        for (var id = 1; id <= 3; id++) Assert.Equal(("length", Cells - 40), (End(id).FinishReason, End(id).CompletionTokens));
    }

    [SkippableFact]
    public void Who_is_cancelled_takes_no_further_step()
    {
        var answer = Submit(1, 100);
        for (var step = 0; step < 3; step++) _batcher.Step();
        var written = _sent.Count;
        Assert.True(written > 0);

        answer.Cancel();
        _batcher.Step();

        Assert.False(_batcher.HasWork);
        Assert.Equal(written, _sent.Count);
    }

    [SkippableFact]
    public void Who_writes_gets_a_token_in_every_second_step_while_others_read()
    {
        Submit(1, 100);
        _batcher.Step();
        Submit(2, 20, repeated: 30);
        Submit(3, 20, repeated: 5);
        var written = _sent.Count;
        Assert.True(written > 0);

        for (var step = 0; step < 10; step++) _batcher.Step();

        Assert.InRange(_sent.Count(static frame => frame.Id == 1), written + 5, written + 10);
        Work();
        for (var id = 2; id <= 3; id++) Assert.Equal(20, End(id).CompletionTokens);
    }

    [SkippableFact]
    public void What_nobody_foresaw_ends_the_one_answer_in_which_it_happens()
    {
        Submit(1, 20, frame =>
        {
            if (frame.Kind == FrameKind.Part) throw new InvalidOperationException("unforeseen");
            _sent.Add(frame);
        });
        Submit(2, 20);

        Work();

        var failed = Assert.Single(_sent, static frame => frame.Id == 1);
        Assert.Equal((FrameKind.Error, "model-unavailable"), (failed.Kind, failed.ErrorType));
        Assert.DoesNotContain("unforeseen", failed.Message, StringComparison.Ordinal);
        Assert.Equal(20, End(2).CompletionTokens);
    }
}
