namespace Millrace.Wasm;

/// <summary>A module with its state.</summary>
public sealed class Instance
{
    internal Instance() { }

    /// <summary>The store that owns it.</summary>
    public Store Store => throw new NotImplementedException();

    /// <summary>The module it was made from.</summary>
    public Module Module => throw new NotImplementedException();

    /// <summary>The exported function of that name, or null.</summary>
    public Function? FindFunction(string name) => throw new NotImplementedException();

    /// <summary>The exported memory of that name, or null.</summary>
    public Memory? FindMemory(string name) => throw new NotImplementedException();
}

/// <summary>A function: a guest's or the host's.</summary>
public sealed class Function
{
    internal Function() { }

    /// <summary>Its type.</summary>
    public FunctionType Type => throw new NotImplementedException();

    /// <summary>Calls it on this thread.</summary>
    /// <exception cref="ArgumentException">Number of arguments differs from the type's.</exception>
    /// <exception cref="TrapException">The guest trapped.</exception>
    public Value[] Call(params ReadOnlySpan<Value> arguments) => throw new NotImplementedException();
}

/// <summary>A linear memory.</summary>
public sealed class Memory
{
    internal Memory() { }

    /// <summary>Size now, in bytes.</summary>
    public long ByteLength => throw new NotImplementedException();

    /// <summary>
    /// A view of <paramref name="length"/> bytes at <paramref name="address"/>. Valid until the guest runs again.
    /// </summary>
    /// <exception cref="TrapException"><see cref="TrapCode.OutOfBoundsMemoryAccess"/>.</exception>
    public Span<byte> Span(uint address, uint length) => throw new NotImplementedException();

    /// <summary>As <see cref="Span"/>, but answers false where the range is outside.</summary>
    public bool TrySpan(uint address, uint length, out Span<byte> span) => throw new NotImplementedException();
}
