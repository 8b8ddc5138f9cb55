using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Millrace.Inference.Native;

namespace Millrace.Inference.Worker;

/// <summary>
/// The one thread that computes. Between steps it hears new requests and cancels; then every model with work takes one
/// step, so that nobody waits for another's answer.
/// </summary>
sealed class Scheduler(ModelShelf models, Action<Frame> send)
{
    // How often the host is told that a long computation goes on.
    const int AliveMs = 1000;

    readonly BlockingCollection<Frame> _inbox = [];
    readonly Dictionary<long, Action> _cancels = [];

    // Requests whose model waits for another one to become idle, and what was asked behind them: first come, first served.
    readonly List<Frame> _parked = [];
    long _aliveAt;

    /// <summary>Takes a request in. From any thread.</summary>
    public void Post(Frame frame) => _inbox.Add(frame);

    /// <summary>Works for ever.</summary>
    public void Run()
    {
        while (true)
        {
            Hear();
            foreach (var model in models.Busy)
            {
                model.Step();
                model.UsedAt = Environment.TickCount64;
            }

            while (_parked.Count > 0 && TryBegin(_parked[0])) _parked.RemoveAt(0);
            models.UnloadExpired();
            SayAlive();
        }
    }

    void Hear()
    {
        if (!models.Busy.Any() && _parked.Count == 0)
        {
            if (!_inbox.TryTake(out var first, models.IdleMs())) return;
            Take(first);
        }

        while (_inbox.TryTake(out var frame)) Take(frame);
    }

    void Take(Frame frame)
    {
        if (frame.Kind == FrameKind.Cancel) Cancel(frame.Id);
        else if ((_parked.Count > 0 && frame.Kind is FrameKind.Chat or FrameKind.Embed) || !TryBegin(frame)) _parked.Add(frame);
    }

    // False where the request must wait for another model to become idle.
    bool TryBegin(Frame frame)
    {
        try
        {
            var path = frame.Job?.Model ?? frame.Model ?? throw new InferenceException("invalid", "a request without a model");
            if (models.Find(path, frame.Options ?? ModelOptions.Standard) is not { } model) return false;
            model.UsedAt = Environment.TickCount64;
            if (Answer(frame, model) is { } answer) Send(answer);
        }
        catch (Exception e)
        {
            // The edge of a request: what fails ends this one alone.
            Send(Frame.Failure(frame.Id, e));
        }

        return true;
    }

    void Cancel(long id)
    {
        if (_cancels.TryGetValue(id, out var cancel)) cancel();
        else if (_parked.RemoveAll(frame => frame.Id == id) == 0) return;
        Send(new(FrameKind.Error, id) { ErrorType = "cancelled", Message = "the request was cancelled" });
    }

    void Send(Frame frame)
    {
        if (frame.Kind is FrameKind.Reply or FrameKind.Error) _cancels.Remove(frame.Id);
        send(frame);
    }

    // Null where the answer comes later.
    Frame? Answer(Frame frame, LoadedModel model)
    {
        switch (frame.Kind)
        {
            case FrameKind.Chat:
                var answering = model.Answer(frame, Send);
                _cancels[frame.Id] = answering.Cancel;
                return null;
            case FrameKind.Embed:
                var work = model.Embed(frame, Send);
                _cancels[frame.Id] = () => work.IsCancelled = true;
                return null;
            case FrameKind.Count:
                return new(FrameKind.Reply, frame.Id) { Tokens = model.Planner.Prompt(frame.Job!).Length };
            case FrameKind.Tokenize:
                var tokens = model.Model.Tokenize(string.Concat(frame.Texts ?? []));
                return new(FrameKind.Reply, frame.Id) { Body = MemoryMarshal.AsBytes<int>(tokens).ToArray() };
            case FrameKind.Describe:
                return new(FrameKind.Reply, frame.Id)
                {
                    Facts = model.Model.Facts(model.ContextTokens, model.StretchedTokens),
                    Message = LlamaModel.Commit,
                };
            case FrameKind.Abort:
                model.Abort();
                return new(FrameKind.Reply, frame.Id);
            default:
                throw new InferenceException("invalid", $"{frame.Kind} is no request");
        }
    }

    void SayAlive()
    {
        if (Environment.TickCount64 - _aliveAt < AliveMs) return;
        _aliveAt = Environment.TickCount64;
        send(new(FrameKind.Alive, 0));
    }
}
