using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using Millrace.Inference.Native;
using Millrace.Inference.Worker;

namespace Millrace.Inference;

/// <summary>
/// The worker's side: loads models and answers requests one after another until the host's end of the socket closes.
/// Native code may abort this process at any time; the host counts on nothing else than that.
/// </summary>
public sealed class InferenceWorker
{
    readonly Stream _stream;
    readonly int _threads;
    readonly int _contextTokensMax;
    readonly BlockingCollection<Frame> _jobs = [];
    readonly ConcurrentDictionary<long, CancellationTokenSource> _open = new();

    // Requests whose turn has not come. Whoever takes one out of here answers it.
    readonly ConcurrentDictionary<long, Frame> _waiting = new();
    readonly Lock _sending = new();
    (string Path, LlamaModel Model)? _loaded;

    InferenceWorker(Stream stream, int threads, int contextTokensMax) =>
        (_stream, _threads, _contextTokensMax) = (stream, threads, contextTokensMax);

    /// <summary>Connects to the host's socket and works until it closes. Answers the process's exit code.</summary>
    public static async Task<int> RunAsync(string socketPath, int threads, int contextTokensMax)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath));
        await using var stream = new NetworkStream(socket);
        var worker = new InferenceWorker(stream, threads, contextTokensMax);
        try
        {
            var folder = NativeLibraries.LlamaFolder()
                ?? throw new InferenceException("model-unavailable", NativeLibraries.WhyAbsent);
            Llama.Load(folder);
            LlamaModel.CheckVersion();
        }
        catch (Exception e) when (e is InferenceException or DllNotFoundException or EntryPointNotFoundException)
        {
            worker.Send(new(FrameKind.Error, 0) { ErrorType = "model-unavailable", Message = e.Message });
            return 1;
        }

        worker.Send(new(FrameKind.Hello, 0) { Version = Frame.Protocol });
        var thread = new Thread(worker.WorkLoop) { IsBackground = true, Name = "inference" };
        thread.Start();
        while (await Frame.ReadAsync(stream, default) is { } frame)
        {
            if (frame.Kind == FrameKind.Cancel) worker.Cancel(frame.Id);
            else worker.Enqueue(frame);
        }

        return 0;
    }

    void Enqueue(Frame frame)
    {
        _open[frame.Id] = new();
        _waiting[frame.Id] = frame;
        _jobs.Add(frame);
    }

    // One that waits is answered here: the host takes a worker that is silent after a cancel for stuck, and the loop
    // may be busy with another request for longer than that.
    void Cancel(long id)
    {
        if (!_open.TryGetValue(id, out var source)) return;
        source.Cancel();
        if (_waiting.TryRemove(id, out _)) Send(Cancelled(id));
    }

    void WorkLoop()
    {
        foreach (var frame in _jobs.GetConsumingEnumerable())
        {
            if (_waiting.TryRemove(frame.Id, out _))
                Send(Answer(frame, _open[frame.Id].Token));
            _open.TryRemove(frame.Id, out _);
        }
    }

    Frame Answer(Frame frame, CancellationToken cancel)
    {
        try
        {
            var path = frame.Job?.Model ?? frame.Model ?? throw new InferenceException("invalid", "a request without a model");
            var model = Model(path);
            return frame.Kind switch
            {
                FrameKind.Chat => Chat(model, frame.Id, frame.Job!, cancel),
                FrameKind.Count => new(FrameKind.Reply, frame.Id) { Tokens = model.Tokenize(frame.Job!.Turns).Length },
                FrameKind.Describe => new(FrameKind.Reply, frame.Id) { Facts = model.Facts() },
                _ => throw new InferenceException("invalid", $"{frame.Kind} is no request"),
            };
        }
        catch (InferenceException e)
        {
            return new(FrameKind.Error, frame.Id) { ErrorType = e.Type, Message = e.Message };
        }
        catch (OperationCanceledException)
        {
            return Cancelled(frame.Id);
        }
    }

    static Frame Cancelled(long id) =>
        new(FrameKind.Error, id) { ErrorType = "cancelled", Message = "the request was cancelled" };

    LlamaModel Model(string path)
    {
        if (_loaded is { } loaded && loaded.Path == path) return loaded.Model;
        _loaded?.Model.Dispose();
        _loaded = null;
        if (!File.Exists(path)) throw new InferenceException("model-unavailable", $"there is no file {Path.GetFileName(path)}");
        var model = LlamaModel.Load(path, _contextTokensMax, _threads);
        _loaded = (path, model);
        return model;
    }

    Frame Chat(LlamaModel model, long id, ChatJob job, CancellationToken cancel)
    {
        if (job.Format.Kind != AnswerKind.Text || job.Tools.Length > 0 || job.Logprobs is not null)
            throw new InferenceException("invalid", "formats, tools and chances of tokens are not there yet");
        var prompt = job.Prompt is { } text ? model.Tokenize(Encoding.UTF8.GetBytes(text)) : model.Tokenize(job.Turns);
        var room = model.ContextTokens - prompt.Length;
        if (job.MaxTokens > room || room < 1)
        {
            throw new InferenceException(
                "context-exceeded",
                $"{prompt.Length} tokens of prompt and {job.MaxTokens} of answer exceed the context of {model.ContextTokens}");
        }

        var (count, reason) = (0, "stop");
        var answer = new AnswerText(job.Stop);
        foreach (var piece in model.Generate(prompt, job.Sampling, cancel))
        {
            count++;
            if (answer.Add(piece) is { Length: > 0 } news) Send(new(FrameKind.Part, id) { Part = new(news) });
            if (answer.IsStopped) break;
            if (count < (job.MaxTokens < 0 ? room : job.MaxTokens)) continue;
            reason = "length";
            break;
        }

        return new(FrameKind.Reply, id) { Part = new(answer.Finish()) { End = new(reason, prompt.Length, 0, count) } };
    }

    void Send(Frame frame)
    {
        lock (_sending) Frame.WriteAsync(_stream, frame, default).GetAwaiter().GetResult();
    }
}
