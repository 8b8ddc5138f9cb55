using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm;

/// <summary>A module with its state.</summary>
public sealed unsafe class Instance
{
    // The fields that guest code reads, by name (see Compilation/GuestMembers): the hot ones first.
    internal nuint StackLimit;
    internal int InterruptRequest;
    internal long* FuelCell;
    internal byte* MemoryBase;
    // Never set: a zero that the JIT does not know (see Compilation/Rotations).
    internal long UnknownZero;
    internal Memory? Memory0;
    internal Table? Table0;
    internal byte* Cells;
    internal Function[] Imports = [];
    internal Table[] Tables = [];
    internal Memory[] Memories = [];
    internal Global[] Globals = [];
    internal Tag[] Tags = [];
    internal GuestType[] ObjectTypes = [];
    internal ObjectHeap Heap;

    /// <summary>Element segments; null when dropped.</summary>
    internal object?[]?[] Elements = [];

    /// <summary>Which data segments are dropped.</summary>
    internal bool[] DroppedData = [];

    Function?[]? _functions;
    Memory? _exportedMemory;

    internal Instance(Store store, Module module)
    {
        (Store, Module) = (store, module);
        FuelCell = store.FuelCell;
        Caller = new Caller(this);
        Heap = store.Objects;
        ObjectTypes = module.Code.Types.TypesFor(Heap);
    }

    /// <summary>The store that owns it.</summary>
    public Store Store { get; }

    /// <summary>The module it was made from.</summary>
    public Module Module { get; }

    internal Caller Caller { get; }

    /// <summary>The export <c>memory</c>, for host functions.</summary>
    internal Memory? ExportedMemory => _exportedMemory ??= FindMemory("memory");

    /// <summary>The exported function of that name, or null.</summary>
    public Function? FindFunction(string name) => Find(name) as Function;

    /// <summary>The exported memory of that name, or null.</summary>
    public Memory? FindMemory(string name) => Find(name) as Memory;

    /// <summary>The exported table of that name, or null.</summary>
    public Table? FindTable(string name) => Find(name) as Table;

    /// <summary>The exported global of that name, or null.</summary>
    public Global? FindGlobal(string name) => Find(name) as Global;

    /// <summary>The exported tag of that name, or null.</summary>
    public Tag? FindTag(string name) => Find(name) as Tag;

    /// <summary>The export of that name: a <see cref="Function"/>, <see cref="Memory"/>, <see cref="Table"/>,
    /// <see cref="Global"/> or <see cref="Tag"/>; null when there is none.</summary>
    public object? Find(string name) => Module.FindExport(name) is { } export ? Extern(export) : null;

    internal object Extern(ModuleExport export) => export.Kind switch
    {
        ExternKind.Function => FunctionAt(export.Index),
        ExternKind.Table => Tables[export.Index],
        ExternKind.Memory => Memories[export.Index],
        ExternKind.Global => Globals[export.Index],
        ExternKind.Tag => Tags[export.Index],
        _ => throw new ArgumentOutOfRangeException(nameof(export), export.Kind, null),
    };

    /// <summary>The function of that index; always the same object.</summary>
    internal Function FunctionAt(int index)
    {
        if (index < Imports.Length) return Imports[index];
        _functions ??= new Function?[Module.Code.FunctionCount - Imports.Length];
        return _functions[index - Imports.Length] ??= MakeFunction(index);
    }

    Function MakeFunction(int index) =>
        new(this, Module.Code.SignatureOf(index), Module.Code.PointerTo(index), index);
}
