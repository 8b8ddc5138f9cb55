using System.Collections;
using System.Collections.Immutable;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>A module's index spaces as rules see them: a lookup gives the entry or the suite's "unknown …".</summary>
sealed class ModuleContext(ModuleDefinition module, SafetyCheck without = SafetyCheck.None)
{
    readonly BitArray _declared = new(module.Functions.Length);

    // Set when the types are known to be in range; what comes before does not match types.
    ModuleTypes? _types;

    /// <summary>Whose turn it is, for errors that no function or expression has claimed.</summary>
    public FunctionState? Current { get; set; }

    public ModuleDefinition Module { get; } = module;

    /// <summary>A check that is left out.</summary>
    public SafetyCheck Without { get; } = without;

    public ModuleTypes Types => _types ??= new ModuleTypes(Module, new TypeCanonicalizer());

    public TypeDefinition Type(int index) =>
        (uint)index < (uint)Module.Types.Length ? Module.Types[index] : throw Unknown("type", index);

    public FunctionType FunctionTypeOf(int typeIndex) =>
        Type(typeIndex).Function ?? throw Invalid($"type mismatch: type {typeIndex} is not a function type");

    public TypeDefinition Struct(int typeIndex) => Composite(typeIndex, CompositeKind.Struct, "a struct");

    /// <summary>The element of an array type.</summary>
    public FieldType Array(int typeIndex) => Composite(typeIndex, CompositeKind.Array, "an array").Fields[0];

    public FieldType Field(int typeIndex, int field)
    {
        var fields = Struct(typeIndex).Fields;
        return (uint)field < (uint)fields.Length ? fields[field] : throw Unknown("field", field);
    }

    public FunctionDefinition Function(int index) =>
        (uint)index < (uint)Module.Functions.Length ? Module.Functions[index] : throw Unknown("function", index);

    public TableDefinition Table(int index) =>
        (uint)index < (uint)Module.Tables.Length ? Module.Tables[index] : throw Unknown("table", index);

    public MemoryDefinition Memory(int index) =>
        (uint)index < (uint)Module.Memories.Length ? Module.Memories[index] : throw Unknown("memory", index);

    public GlobalDefinition Global(int index) =>
        (uint)index < (uint)Module.Globals.Length ? Module.Globals[index] : throw Unknown("global", index);

    /// <summary>What a tag carries.</summary>
    public ImmutableArray<ValueType> Tag(int index) =>
        (uint)index < (uint)Module.Tags.Length
            ? FunctionTypeOf(Module.Tags[index].TypeIndex).Parameters
            : throw Unknown("tag", index);

    public ElementSegment Element(int index) =>
        (uint)index < (uint)Module.Elements.Length ? Module.Elements[index] : throw Unknown("elem segment", index);

    public void CheckData(int index)
    {
        if ((uint)index >= (uint)Module.Data.Length) throw Unknown("data segment", index);
    }

    public void CheckType(ValueType type)
    {
        if (!IsInRange(type)) throw Unknown("type", type.TypeIndex);
    }

    bool IsInRange(ValueType type) => IsInRange(type, Module.Types.Length);

    /// <summary>Whether a type names only the first <paramref name="bound"/> types.</summary>
    public static bool IsInRange(ValueType type, int bound) =>
        type.Kind != ValueKind.Ref || type.Heap != HeapKind.Defined || (uint)type.TypeIndex < (uint)bound;

    /// <summary>Makes a function one that code may take a reference to.</summary>
    public void Declare(int function)
    {
        if ((uint)function < (uint)_declared.Length) _declared[function] = true;
    }

    public bool IsDeclared(int function) => _declared[function];

    /// <summary><c>func[3] name</c></summary>
    public string Describe(FunctionDefinition function) =>
        Module.FunctionName(function.Index) is { } name ? $"func[{function.Index}] {name}" : $"func[{function.Index}]";

    public InvalidException Invalid(string reason) => Current?.Invalid(reason) ?? new InvalidException(reason, "");

    TypeDefinition Composite(int typeIndex, CompositeKind kind, string what)
    {
        var type = Type(typeIndex);
        return type.Kind == kind ? type : throw Invalid($"type mismatch: type {typeIndex} is not {what} type");
    }

    InvalidException Unknown(string what, int index) => Invalid($"unknown {what} {(uint)index}");
}
