using System.Collections.Concurrent;
using Millrace.Wasm;

namespace Millrace.Sandbox.Protocol;

/// <summary>
/// Compiles modules ahead of time, one after another, each once, while the JIT serves them. The compiler is a process
/// of its own, and so is whatever a hostile module makes of it.
/// </summary>
sealed class AheadQueue : IDisposable
{
    readonly CodeCache _cache;
    readonly Action<ReadOnlyMemory<byte>> _compiled;
    readonly Action<string> _notice;
    readonly ConcurrentDictionary<string, bool> _seen = new();
    readonly BlockingCollection<ReadOnlyMemory<byte>> _waiting = [];
    readonly CancellationTokenSource _stop = new();

    /// <summary>A queue with a thread of its own.</summary>
    /// <param name="cache">Where machine code goes.</param>
    /// <param name="compiled">Hears of each module that has machine code now, and had none before.</param>
    /// <param name="notice">Takes a sentence about a module that stays with the JIT.</param>
    public AheadQueue(CodeCache cache, Action<ReadOnlyMemory<byte>> compiled, Action<string> notice)
    {
        (_cache, _compiled, _notice) = (cache, compiled, notice);
        new Thread(Work) { IsBackground = true, Name = "ahead of time" }.Start();
    }

    /// <summary>Takes a module that a worker found right.</summary>
    public void Add(ReadOnlyMemory<byte> module)
    {
        if (!_seen.TryAdd(Blob.NameOf(Blob.HashOf(module)), true)) return;
        try
        {
            _waiting.Add(module);
        }
        catch (InvalidOperationException)
        {
            // The server stops.
        }
    }

    /// <summary>Ends what is being compiled; it is begun again at the next start.</summary>
    public void Dispose()
    {
        _waiting.CompleteAdding();
        _stop.Cancel();
    }

    void Work()
    {
        try
        {
            foreach (var module in _waiting.GetConsumingEnumerable(_stop.Token)) Compile(module);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }

    void Compile(ReadOnlyMemory<byte> module)
    {
        try
        {
            // As workers make their engine.
            var report = _cache.Compile(WorkerSession.EngineOptions, module, _stop.Token);
            if (!report.WasThere && report.Path.Length > 0) _compiled(module);
        }
        catch (OperationCanceledException)
        {
            throw;
        }
        // Whatever stands in the way: the module runs all the same.
        catch (Exception e)
        {
            _notice($"A module stays with the JIT: {e.Message}");
        }
    }
}
