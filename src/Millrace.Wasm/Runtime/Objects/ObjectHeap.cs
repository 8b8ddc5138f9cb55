using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Runtime.Objects;

/// <summary>
/// The objects of a store: their types, and what they are charged. Nobody can ask .NET how much of its heap one store
/// holds, so a sample of the objects is watched: each stands for the bytes allocated around it, and what survives a
/// collection tells how much is still in use, within about a hundredth. The sample is drawn at random bytes of all
/// that is allocated; were it known beforehand, a guest could keep everything but the objects watched.
/// </summary>
sealed class ObjectHeap
{
    // So many objects are watched when the limit is reached.
    const int SamplesMax = 16_384;
    const int IntervalMin = 1_024;

    readonly Dictionary<int, GuestType> _types = [];
    List<(GCHandle Object, long Bytes)>? _samples; // null while there is none
    readonly double _interval;
    Random? _random;
    long _left; // bytes until the next object that is watched
    long _used; // bytes that the watched objects stand for
    long _ceiling; // where that is measured anew

    public ObjectHeap(Store store)
    {
        Store = store;
        _interval = Math.Max(IntervalMin, store.Limits.ObjectBytesMax / SamplesMax);
        _ceiling = store.Limits.ObjectBytesMax;
    }

    public Store Store { get; }

    /// <summary>The type with that number in the engine.</summary>
    public GuestType TypeOf(int id, HeapKind kind)
    {
        if (!_types.TryGetValue(id, out var type))
            _types[id] = type = new GuestType(this, id, kind, Store.Engine.Types.LineageOf(id));
        return type;
    }

    /// <summary>Charges an object that was just made.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Charge(object made, long bytes)
    {
        if ((_left -= bytes) < 0) Watch(made);
    }

    /// <summary>Traps where that many bytes more are more than the limit allows.</summary>
    public void CheckRoom(long bytes)
    {
        if (bytes > Store.Limits.ObjectBytesMax) Exceeded();
        if (_used + bytes <= _ceiling) return;
        Measure(bytes);
        if (_used + bytes > Store.Limits.ObjectBytesMax) Exceeded();
    }

    void Exceeded()
    {
        if (!Store.Lacks(SafetyCheck.ObjectLimit)) Traps.OutOfMemory();
    }

    public void Free()
    {
        if (_samples is null) return;
        foreach (var (watched, _) in _samples) watched.Free();
        _samples = null;
    }

    // Distances between watched bytes are exponential, so that where the last object ended does not matter: the object
    // that reaches the watched byte stands for one distance, and for its own bytes behind that one.
    [MethodImpl(MethodImplOptions.NoInlining)]
    void Watch(object made)
    {
        if (_random is null) // the first object: only now is it known where to begin
        {
            _random = new Random();
            _left += Distance();
            if (_left >= 0) return;
        }
        var bytes = (long)_interval - _left;
        (_samples ??= []).Add((GCHandle.Alloc(made, GCHandleType.Weak), bytes));
        _used += bytes;
        _left = Distance();
        if (_used <= _ceiling) return;
        Measure(0);
        if (_used > Store.Limits.ObjectBytesMax) Exceeded();
        GC.KeepAlive(made);
    }

    long Distance() => 1 + (long)(-_interval * Math.Log(1 - _random!.NextDouble()));

    // .NET's own collections have taken most garbage long before: where it is enough to look, nobody waits. Forced ones
    // stop every thread of the process, so the young go first, and only what has grown old costs a full one. The next
    // measurement comes after some allocation at least, or a guest just below the limit would do nothing but collect.
    void Measure(long wanted)
    {
        var limit = Store.Limits.ObjectBytesMax;
        if (Store.Lacks(SafetyCheck.Collections)) return;
        Sweep();
        for (var generation = 0; generation <= GC.MaxGeneration && _used + wanted > limit - limit / 4; generation++)
        {
            GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
            Sweep();
        }
        _ceiling = Math.Max(limit, _used + limit / 16);
    }

    void Sweep()
    {
        _used = 0;
        if (_samples is null) return;
        var kept = 0;
        foreach (var sample in CollectionsMarshal.AsSpan(_samples))
        {
            if (sample.Object.Target is null)
            {
                sample.Object.Free();
                continue;
            }
            _samples[kept++] = sample;
            _used += sample.Bytes;
        }
        _samples.RemoveRange(kept, _samples.Count - kept);
    }
}
