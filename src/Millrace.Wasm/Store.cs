using System.Runtime.InteropServices;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;
using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm;

/// <summary>Limits of one store. A limit that is hit is a failed grow or a trap, never a host error.</summary>
public sealed record StoreLimits
{
    /// <summary>Bytes of all linear memories together. Default 4 GiB.</summary>
    public long MemoryBytesMax { get; init; } = 4L << 30;

    /// <summary>Elements of all tables together. Default 10 million.</summary>
    public long TableElementsMax { get; init; } = 10_000_000;

    /// <summary>
    /// Bytes of structs and arrays of guests. Where they come to more, those that nothing refers to any more are
    /// collected; if what is left is still more, the guest traps. Held to about a sixteenth. Default 1 GiB.
    /// </summary>
    public long ObjectBytesMax { get; init; } = 1L << 30;

    /// <summary>Bytes of native stack that guest calls may use. Default 1 MiB.</summary>
    public int StackBytesMax { get; init; } = 1 << 20;
}

/// <summary>
/// Owner of all state of its instances: the unit of isolation. One thread at a time. Dispose it: memories are freed
/// then, and nothing of it may be used afterwards.
/// </summary>
public sealed unsafe class Store : IDisposable
{
    /// <summary>Bytes of a global's cell.</summary>
    internal const int CellBytes = 16;

    readonly Lock _gate = new();
    readonly List<Instance> _instances = [];
    readonly List<Memory> _memories = [];
    readonly ArrayBuilder<nint> _cells = new();
    ObjectHeap? _objects;
    nuint _stackLimit = nuint.MaxValue;
    long _elements;
    int _runningThread;
    long* _fuel;
    Waiter? _waiter; // what the store's thread sleeps on
    bool _isInterrupted;
    bool _isDisposed;

    /// <summary>An empty store.</summary>
    public Store(Engine engine, StoreLimits? limits = null)
    {
        (Engine, Limits) = (engine, limits ?? new());
        if (!engine.Options.IsMetered) return;
        _fuel = (long*)NativeMemory.Alloc(sizeof(long));
        *_fuel = long.MaxValue;
    }

    /// <summary>Frees the memories of a store that nobody disposed.</summary>
    ~Store() => Free();

    /// <summary>The engine this store belongs to.</summary>
    public Engine Engine { get; }

    /// <summary>The limits given.</summary>
    public StoreLimits Limits { get; }

    /// <summary>
    /// Instructions that guest code may still execute; when they are used up it traps with
    /// <see cref="TrapCode.OutOfFuel"/>. At first as good as endless. For this store's thread alone.
    /// </summary>
    /// <exception cref="InvalidOperationException">The engine does not count
    /// (<see cref="EngineOptions.IsMetered"/>).</exception>
    public long Fuel
    {
        // Below zero after the trap: what did not fit was taken too.
        get => Math.Max(0, *FuelOrThrow());
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            *FuelOrThrow() = value;
        }
    }

    /// <summary>Bytes of linear memory in use by this store now.</summary>
    public long MemoryBytes { get; private set; }

    /// <summary>Whether a <c>memory.grow</c> was refused because of <see cref="StoreLimits.MemoryBytesMax"/>.</summary>
    public bool MemoryLimitHit { get; private set; }

    /// <summary>
    /// Stops guest code running in this store: it traps with <see cref="TrapCode.Interrupted"/> at its next loop
    /// header or call. May be called from any thread; stays in force until <see cref="ClearInterrupt"/>.
    /// </summary>
    public void Interrupt() => SetInterrupt(true);

    /// <summary>Takes back an <see cref="Interrupt"/>.</summary>
    public void ClearInterrupt() => SetInterrupt(false);

    /// <summary>Frees all memories.</summary>
    /// <exception cref="InvalidOperationException">Guest code is running in this store.</exception>
    public void Dispose()
    {
        if (Interlocked.CompareExchange(ref _runningThread, -1, 0) is not (0 or -1))
            throw new InvalidOperationException("guest code is running in this store");
        Free();
        GC.SuppressFinalize(this);
    }

    internal long* FuelCell => _fuel;

    /// <summary>The guest objects of this store.</summary>
    internal ObjectHeap Objects => _objects ??= new ObjectHeap(this);

    /// <summary>Whether that check is left out.</summary>
    internal bool Lacks(SafetyCheck check) => Engine.Options.Without == check;

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed, this);

    /// <summary>Whether this thread is inside a call into the store already.</summary>
    internal bool RunsHere => _runningThread == Environment.CurrentManagedThreadId;

    /// <summary>Takes the store for this thread, whose guest code may use the stack down to the limit.</summary>
    internal void Enter(nuint stackLimit)
    {
        var owner = Interlocked.CompareExchange(ref _runningThread, Environment.CurrentManagedThreadId, 0);
        ObjectDisposedException.ThrowIf(owner == -1, this);
        if (owner != 0) throw new InvalidOperationException("the store is in use by another thread");
        lock (_gate)
        {
            _stackLimit = stackLimit;
            foreach (var instance in _instances) Arm(instance);
        }
    }

    internal void Leave() => Volatile.Write(ref _runningThread, 0);

    internal void Own(Instance instance)
    {
        lock (_gate)
        {
            _instances.Add(instance);
            Arm(instance);
        }
    }

    /// <summary>Uses a memory that another store owns as well.</summary>
    internal Memory Share(Memory memory)
    {
        if (memory.Store == this) return memory;
        ThrowIfDisposed();
        if (!memory.TryShare()) throw new LinkException("the shared memory was freed with its last store");
        lock (_gate) _memories.Add(memory);
        return memory;
    }

    /// <summary>Whether this store's thread sleeps in a wait.</summary>
    internal bool IsWaiting => Volatile.Read(ref _waiter) is not null;

    /// <summary>Before this store's thread sleeps: an interrupt will wake it. False: there was one already.</summary>
    internal bool TryBeginWait(Waiter waiter)
    {
        lock (_gate)
        {
            if (_isInterrupted) return false;
            _waiter = waiter;
            return true;
        }
    }

    /// <summary>When it woke; whether an interrupt is in force.</summary>
    internal bool EndWait()
    {
        lock (_gate)
        {
            _waiter = null;
            return _isInterrupted;
        }
    }

    internal void Own(Memory memory)
    {
        ThrowIfDisposed();
        lock (_gate) _memories.Add(memory);
    }

    /// <summary>Zeroed cells for globals, freed with the store.</summary>
    internal byte* AllocateCells(int count)
    {
        ThrowIfDisposed();
        var cells = (byte*)NativeMemory.AllocZeroed((nuint)count, CellBytes);
        lock (_gate) _cells.Add((nint)cells);
        return cells;
    }

    /// <summary>Counts bytes of linear memory in (or out, when negative); false: more than the limit.</summary>
    // Whoever shares a memory of this store may grow it.
    internal bool TryCharge(long bytes)
    {
        lock (_gate)
        {
            if (bytes > Limits.MemoryBytesMax - MemoryBytes && !Lacks(SafetyCheck.MemoryLimit))
            {
                MemoryLimitHit = true;
                return false;
            }
            MemoryBytes += bytes;
            return true;
        }
    }

    /// <summary>Counts table elements in (or out, when negative); false: more than the limit.</summary>
    internal bool TryChargeElements(long count)
    {
        if (count > Limits.TableElementsMax - _elements && !Lacks(SafetyCheck.TableLimit)) return false;
        _elements += count;
        return true;
    }

    long* FuelOrThrow()
    {
        ThrowIfDisposed();
        return _fuel is not null ? _fuel
            : throw new InvalidOperationException("the engine does not count instructions: it is not metered");
    }

    /// <summary>Whether <see cref="Interrupt"/> was asked for; guest code asks its instance instead.</summary>
    internal bool IsInterrupted => Volatile.Read(ref _isInterrupted);

    void SetInterrupt(bool isInterrupted)
    {
        lock (_gate)
        {
            _isInterrupted = isInterrupted && !Lacks(SafetyCheck.Interrupts);
            foreach (var instance in _instances) Arm(instance);
            if (_isInterrupted) _waiter?.Wake();
        }
    }

    // An interrupt also raises the stack limit above any address: the one compare in a function's prologue then
    // serves both. The flag goes first, so that whoever fails the compare sees why.
    void Arm(Instance instance)
    {
        Volatile.Write(ref instance.InterruptRequest, _isInterrupted ? 1 : 0);
        Volatile.Write(ref instance.StackLimit, _isInterrupted ? nuint.MaxValue : _stackLimit);
    }

    void Free()
    {
        _isDisposed = true;
        foreach (var memory in _memories) memory.Free();
        if (_objects is not null) _objects.Free();
        for (var i = 0; i < _cells.Count; i++) NativeMemory.Free((void*)_cells[i]);
        NativeMemory.Free(_fuel);
        _fuel = null;
        _memories.Clear();
        _cells.Clear();
    }
}
