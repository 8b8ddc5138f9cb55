using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text;
using Millrace.Nn;
using Millrace.Wasi;
using Millrace.Wasm;

namespace Millrace.Inference.Llama2;

/// <summary>What the guest says; <c>guests/llama2/src/frames.rs</c> has the words.</summary>
readonly record struct Llama2Answer(byte Kind, byte[] Body)
{
    public int Number => (int)BinaryPrimitives.ReadUInt32LittleEndian(Body);
}

/// <summary>The guest with a model in its memory, on a thread of its own. It is asked and answers in turn; one caller at a time.</summary>
sealed class Llama2Guest : IDisposable
{
    const int HeadBytes = 5;

    // The guest's calls, the host's below them, and the JIT's.
    const int ThreadStackBytes = 16 << 20;

    static readonly Lazy<(Engine Engine, Module Module)> Compiled = new(Compile);

    readonly Lock _gate = new();
    readonly Pipe _questions = new();
    readonly Pipe _answers = new();
    readonly MemoryStream _log = new();
    readonly Llama2Files _files;
    readonly Stream _ask;
    readonly Stream _answer;
    Wasm.Store? _store;
    NnException? _end;

    /// <exception cref="NnException">The guest cannot read the model.</exception>
    public Llama2Guest(Llama2Files files)
    {
        _files = files;
        (_ask, _answer) = (_questions.Writer.AsStream(), _answers.Reader.AsStream());
        new Thread(Run, ThreadStackBytes) { IsBackground = true, Name = "llama2" }.Start();
        ContextTokens = Read(NnErrno.InvalidEncoding).Number;
    }

    /// <summary>Most tokens that the model can look at.</summary>
    public int ContextTokens { get; }

    /// <summary>Whether it can be asked no more.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Asks, and waits for the answer. A guest that was stopped meanwhile has ended.</summary>
    /// <exception cref="NnException">The guest failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Llama2Answer Ask(char kind, ReadOnlySpan<byte> body, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var frame = new byte[HeadBytes + body.Length];
        frame[0] = (byte)kind;
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(1), body.Length);
        body.CopyTo(frame.AsSpan(HeadBytes));
        Llama2Answer answer;
        try
        {
            using (cancel.Register(Stop))
            {
                _ask.Write(frame);
                answer = Read(NnErrno.RuntimeError);
            }
        }
        catch (NnException) when (cancel.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancel);
        }

        if (!cancel.IsCancellationRequested) return answer;
        // It answered, and has been told to stop.
        HasEnded = true;
        throw new OperationCanceledException(cancel);
    }

    public void Dispose()
    {
        HasEnded = true;
        Stop();
        _questions.Writer.Complete();
    }

    static (Engine Engine, Module Module) Compile()
    {
        using var resource = typeof(Llama2Guest).Assembly.GetManifestResourceStream("llama2.wasm")!;
        using var bytes = new MemoryStream();
        resource.CopyTo(bytes);
        var engine = new Engine();
        return (engine, Module.Compile(engine, bytes.ToArray()));
    }

    void Stop()
    {
        lock (_gate) _store?.Interrupt();
    }

    Llama2Answer Read(NnErrno errno)
    {
        var head = new byte[HeadBytes];
        if (_answer.ReadAtLeast(head, HeadBytes, throwOnEndOfStream: false) == HeadBytes)
        {
            var body = new byte[BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(1))];
            if (_answer.ReadAtLeast(body, body.Length, throwOnEndOfStream: false) == body.Length) return new(head[0], body);
        }

        HasEnded = true;
        throw _end ?? new NnException(errno, Sentence());
    }

    // What the guest itself says, without its name.
    string Sentence()
    {
        const string name = "llama2: ";
        var said = Encoding.UTF8.GetString(_log.ToArray()).Trim();
        if (said.Length == 0) return "the guest llama2 ended without a word";
        return said.StartsWith(name, StringComparison.Ordinal) ? said[name.Length..] : said;
    }

    void Run()
    {
        try
        {
            var (engine, module) = Compiled.Value;
            using var store = new Wasm.Store(engine, new() { MemoryBytesMax = _files.MemoryBytesMax });
            try
            {
                lock (_gate) _store = store;
                Run(store, module);
            }
            catch (TrapException) when (store.MemoryLimitHit)
            {
                _end = new(NnErrno.TooLarge, $"the model needs more than the {_files.MemoryBytesMax >> 20} MiB that it may have");
            }
            finally
            {
                lock (_gate) _store = null;
            }
        }
        catch (ProcExitException)
        {
            // Why is in its log.
        }
        catch (Exception e)
        {
            // The edge of the guest's thread: whatever ended it is told to whoever asks next.
            _end = new(NnErrno.RuntimeError, _log.Length > 0 ? Sentence() : $"the guest llama2 failed: {e.Message}");
        }
        finally
        {
            _questions.Reader.Complete();
            _answers.Writer.Complete();
        }
    }

    void Run(Wasm.Store store, Module module)
    {
        using var wasi = new WasiHost(_files.Options(_questions.Reader.AsStream(), _answers.Writer.AsStream(), _log));
        var linker = new Linker(store.Engine);
        wasi.Define(linker);
        linker.Instantiate(store, module).FindFunction("_start")!.Call();
    }
}
