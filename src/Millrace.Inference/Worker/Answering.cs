using System.Collections.Immutable;
using Millrace.Inference.Native;

namespace Millrace.Inference.Worker;

/// <summary>What an answer needs beside its tokens.</summary>
/// <param name="Prompt">Tokens to be read.</param>
/// <param name="Grammar">What the answer's text must meet; null for anything.</param>
/// <param name="Calls">How tools are called; null where none may be.</param>
sealed record AnswerPlan(int[] Prompt, GrammarRules? Grammar, CallSyntax? Calls)
{
    /// <summary>Whether the whole answer is a call.</summary>
    public bool IsCall { get; init; }
}

/// <summary>One answer as it grows: chooses its tokens and tells the host its text.</summary>
sealed class Answering : IDisposable
{
    readonly LlamaModel _model;
    readonly ChatJob _job;
    readonly AnswerPlan _plan;
    readonly int _tokensMax;
    readonly Action<Frame> _send;
    readonly long _id;
    readonly bool _isRaw;
    readonly TokenChooser _chooser;
    readonly AnswerText _text;
    readonly List<TokenChoice> _untold = [];
    int _count;
    int? _cachedTokens;

    public Answering(LlamaModel model, Frame request, AnswerPlan plan, int tokensMax, Action<Frame> send)
    {
        (_model, _id, _job, _plan, _tokensMax, _send) = (model, request.Id, request.Job!, plan, tokensMax, send);
        _isRaw = request.IsRaw == true;
        var job = request.Job!;
        _chooser = new(model, job.Sampling, plan.Grammar);
        _text = new(job.Stop, plan.IsCall ? "" : plan.Calls?.Mark);
    }

    /// <summary>No token is wanted any more; nobody is told.</summary>
    public bool IsCancelled { get; private set; }

    public void Cancel()
    {
        if (IsCancelled) return;
        IsCancelled = true;
        Dispose();
    }

    public void Dispose() => _chooser.Dispose();

    /// <summary>There is room for the prompt, so many tokens of it being there already.</summary>
    public void Begin(int cachedTokens) => _cachedTokens ??= cachedTokens;

    /// <summary>Chooses the next token after a place of the step just computed; null ends the sequence.</summary>
    public int? Next(LlamaContext context, int index, Sequence sequence)
    {
        var top = _job.Logprobs;
        var chances = top is null ? null : TokenChooser.Chances(_model, context.Scores(index), Math.Clamp(top.Value, 0, 20));
        var token = _chooser.Choose(context, index, sequence.Tokens);
        if (_isRaw) return NextRaw(token);
        if (_model.IsEnd(token)) return Finish("stop");
        _count++;
        if (chances is not null) _untold.Add(chances(token));
        // Marks of calls are special tokens in some vocabularies.
        var text = _text.Add(_model.Piece(token, isSpecialShown: _plan.Calls is not null));
        if (_text.IsStopped || _count >= _tokensMax) return Finish(_text.IsStopped ? "stop" : "length", text);
        if (text.Length > 0) _send(new(FrameKind.Part, _id) { Part = Part(text) });
        return token;
    }

    int? NextRaw(int token)
    {
        _count++;
        var isEnd = _model.IsEnd(token);
        _send(new(FrameKind.Part, _id) { IsRaw = isEnd, Body = _model.Piece(token, isSpecialShown: isEnd) });
        return isEnd ? Finish("stop") : _count >= _tokensMax ? Finish("length") : token;
    }

    ChatPart Part(string text)
    {
        var part = new ChatPart(text) { Tokens = [.. _untold] };
        _untold.Clear();
        return part;
    }

    int? Finish(string reason, string text = "")
    {
        text += _text.Finish();
        var calls = ImmutableArray<ToolCall>.Empty;
        if (_text.Calls is { } written && _plan.Calls is { } syntax)
        {
            // Cut in the middle of a call, there is none.
            if (reason == "stop") calls = syntax.Read(written, _job.Tools.Select(ToolText.Name));
            if (calls.Length > 0) reason = "tool_calls";
            // A JSON answer may begin as a call does.
            else if (!_plan.IsCall && (reason == "stop" || _job.Format.Kind != AnswerKind.Text)) text += written;
        }

        var end = new ChatEnd(reason, _plan.Prompt.Length, _cachedTokens ?? 0, _count) { ToolCalls = calls };
        _send(new(FrameKind.Reply, _id) { Part = Part(text) with { End = end } });
        Dispose();
        return null;
    }

    /// <summary>There is no room for more, or computing failed. Told once, and last.</summary>
    public void Fail(Exception reason)
    {
        _send(Frame.Failure(_id, reason));
        Dispose();
    }
}
