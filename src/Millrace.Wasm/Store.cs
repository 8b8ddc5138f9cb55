namespace Millrace.Wasm;

/// <summary>Limits of one store. A limit that is hit is a failed grow or a trap, never a host error.</summary>
public sealed record StoreLimits
{
    /// <summary>Bytes of all linear memories together. Default 4 GiB.</summary>
    public long MemoryBytesMax { get; init; } = 4L << 30;

    /// <summary>Elements of all tables together. Default 10 million.</summary>
    public long TableElementsMax { get; init; } = 10_000_000;

    /// <summary>Bytes of native stack that guest calls may use. Default 1 MiB.</summary>
    public int StackBytesMax { get; init; } = 1 << 20;
}

/// <summary>Owner of all state of its instances: the unit of isolation. One thread at a time.</summary>
public sealed class Store : IDisposable
{
    /// <summary>An empty store.</summary>
    public Store(Engine engine, StoreLimits? limits = null) => (Engine, Limits) = (engine, limits ?? new());

    /// <summary>The engine this store belongs to.</summary>
    public Engine Engine { get; }

    /// <summary>The limits given.</summary>
    public StoreLimits Limits { get; }

    /// <summary>Bytes of linear memory in use by this store now.</summary>
    public long MemoryBytes => throw new NotImplementedException();

    /// <summary>Whether a <c>memory.grow</c> was refused because of <see cref="StoreLimits.MemoryBytesMax"/>.</summary>
    public bool MemoryLimitHit => throw new NotImplementedException();

    /// <summary>
    /// Stops guest code running in this store: it traps with <see cref="TrapCode.Interrupted"/> at its next loop
    /// header or call. May be called from any thread; stays in force until <see cref="ClearInterrupt"/>.
    /// </summary>
    public void Interrupt() => throw new NotImplementedException();

    /// <summary>Takes back an <see cref="Interrupt"/>.</summary>
    public void ClearInterrupt() => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() { }
}
