namespace Millrace.Wasm;

/// <summary>
/// A host function. Called on the guest's thread; <paramref name="arguments"/> and <paramref name="results"/> have
/// the lengths of the declared type. May throw <see cref="TrapException"/>; any other exception passes through the
/// guest unchanged and is not catchable by it.
/// </summary>
public delegate void HostFunction(Caller caller, ReadOnlySpan<Value> arguments, Span<Value> results);

/// <summary>What a host function sees of its caller.</summary>
public sealed class Caller
{
    internal Caller(Instance instance) => Instance = instance;

    /// <summary>The calling instance.</summary>
    public Instance Instance { get; }

    /// <summary>The memory that the caller exports as <c>memory</c>.</summary>
    /// <exception cref="TrapException"><see cref="TrapCode.HostFault"/>: there is none.</exception>
    public Memory Memory => throw new NotImplementedException();
}

/// <summary>Names to externs, and instantiation. Reusable for many instances of many stores where it holds only
/// host functions.</summary>
public sealed class Linker(Engine engine)
{
    /// <summary>The engine.</summary>
    public Engine Engine { get; } = engine;

    /// <summary>When true, an unknown function import traps with <see cref="TrapCode.UnknownImport"/> when called,
    /// instead of failing the link.</summary>
    public bool TrapUnknownImports { get; set; }

    /// <summary>Defines a host function under two names; a later definition replaces an earlier one.</summary>
    public void Define(string module, string name, FunctionType type, HostFunction function) =>
        throw new NotImplementedException();

    /// <summary>Defines all exports of an instance under a module name.</summary>
    public void Define(string module, Instance instance) => throw new NotImplementedException();

    /// <summary>Defines a function, memory, table or global.</summary>
    public void Define(string module, string name, object external) => throw new NotImplementedException();

    /// <summary>Links, initialises memories and tables, and runs the start function.</summary>
    /// <exception cref="LinkException">Imports are missing or of another type; all are listed.</exception>
    /// <exception cref="TrapException">Initialisation or the start function trapped.</exception>
    public Instance Instantiate(Store store, Module module) => throw new NotImplementedException();
}
