using Millrace.Wasm.Runtime;

namespace Millrace.Wasm;

/// <summary>
/// A host function. Called on the guest's thread; <paramref name="arguments"/> and <paramref name="results"/> have
/// the lengths of the declared type. May throw <see cref="TrapException"/>; any other exception passes through the
/// guest unchanged and is not catchable by it, except a <see cref="GuestException"/>.
/// </summary>
public delegate void HostFunction(Caller caller, ReadOnlySpan<Value> arguments, Span<Value> results);

/// <summary>What a host function sees of its caller: the instance that imported it.</summary>
public sealed class Caller
{
    readonly Instance? _instance;

    internal Caller(Instance? instance) => _instance = instance;

    /// <summary>The calling instance.</summary>
    /// <exception cref="TrapException"><see cref="TrapCode.HostFault"/>: no instance imported the function.</exception>
    public Instance Instance => _instance
        ?? throw new TrapException(TrapCode.HostFault, "the host function was not called through an import");

    /// <summary>The memory that the caller exports as <c>memory</c>.</summary>
    /// <exception cref="TrapException"><see cref="TrapCode.HostFault"/>: there is none.</exception>
    public Memory Memory => Instance.ExportedMemory
        ?? throw new TrapException(TrapCode.HostFault, "the guest exports no memory");
}

/// <summary>Names to externs, and instantiation. Reusable for many instances of many stores where it holds only
/// host functions.</summary>
public sealed class Linker(Engine engine)
{
    readonly Dictionary<string, Dictionary<string, Definition>> _modules = [];

    /// <summary>The engine.</summary>
    public Engine Engine { get; } = engine;

    /// <summary>When true, an unknown function import traps with <see cref="TrapCode.UnknownImport"/> when called,
    /// instead of failing the link.</summary>
    public bool TrapUnknownImports { get; set; }

    /// <summary>Defines a host function under two names; a later definition replaces an earlier one.</summary>
    public void Define(string module, string name, FunctionType type, HostFunction function) =>
        At(module, name).External = new HostDefinition(Engine.Signatures.Of(type), function);

    /// <summary>Defines a host function for those imports of two names that have exactly its type; imports of another
    /// type get what <see cref="Define(string, string, FunctionType, HostFunction)"/> said.</summary>
    public void DefineOverload(string module, string name, FunctionType type, HostFunction function)
    {
        var signature = Engine.Signatures.Of(type);
        var overloads = At(module, name).Overloads ??= [];
        overloads.RemoveAll(overload => overload.Signature == signature);
        overloads.Add(new(signature, function));
    }

    /// <summary>Defines all exports of an instance under a module name.</summary>
    public void Define(string module, Instance instance)
    {
        foreach (var export in instance.Module.Exports) At(module, export.Name).External = instance.Extern(export);
    }

    /// <summary>Defines a <see cref="Function"/>, <see cref="Memory"/>, <see cref="Table"/>, <see cref="Global"/> or
    /// <see cref="Tag"/>.</summary>
    /// <exception cref="ArgumentException">It is none of them.</exception>
    public void Define(string module, string name, object external) =>
        At(module, name).External = external is Function or Memory or Table or Global or Tag
            ? external
            : throw new ArgumentException($"a {external.GetType().Name} cannot be imported", nameof(external));

    /// <summary>Links, initialises memories and tables, and runs the start function.</summary>
    /// <exception cref="LinkException">Imports are missing or of another type (all are listed), or the store's limits
    /// do not allow the module's memories and tables.</exception>
    /// <exception cref="TrapException">Initialisation or the start function trapped.</exception>
    /// <exception cref="GuestException">The start function threw it.</exception>
    public Instance Instantiate(Store store, Module module)
    {
        store.ThrowIfDisposed();
        if (store.Engine != Engine || module.Engine != Engine)
            throw new ArgumentException("store, module and linker must be of one engine");
        var imports = ImportResolver.Resolve(this, store, module);
        return Instantiation.Run(store, module, imports);
    }

    /// <param name="module">The first name.</param>
    /// <param name="name">The second name.</param>
    /// <param name="wanted">The type of the import where it is a function.</param>
    internal object? Find(string module, string name, Signature? wanted)
    {
        if (!_modules.TryGetValue(module, out var names) || !names.TryGetValue(name, out var definition)) return null;
        foreach (var overload in definition.Overloads ?? [])
            if (overload.Signature == wanted) return overload;
        return definition.External;
    }

    Definition At(string module, string name)
    {
        if (!_modules.TryGetValue(module, out var names)) _modules[module] = names = [];
        if (!names.TryGetValue(name, out var definition)) names[name] = definition = new();
        return definition;
    }

    /// <summary>What stands under two names.</summary>
    sealed class Definition
    {
        public object? External { get; set; }

        /// <summary>For imports of exactly their type.</summary>
        public List<HostDefinition>? Overloads { get; set; }
    }
}
