using System.Collections.Immutable;

namespace Millrace.Wasm.Binary;

/// <summary>What a defined type is made of.</summary>
enum CompositeKind : byte
{
    Function,
    Struct,
    Array,
}

/// <summary>What a field stores: a value, or an integer narrower than any value type.</summary>
enum Packing : byte
{
    /// <summary>A value of the field's type.</summary>
    None,
    /// <summary><c>i8</c>; the field's type is <c>i32</c>.</summary>
    I8,
    /// <summary><c>i16</c>; the field's type is <c>i32</c>.</summary>
    I16,
}

/// <summary>A field of a struct, or the element of an array.</summary>
/// <param name="Type">The type of a value read from it (packed fields: <c>i32</c>).</param>
/// <param name="Packing">How it is stored.</param>
/// <param name="IsMutable">Whether it can be set.</param>
readonly record struct FieldType(ValueType Type, Packing Packing, bool IsMutable);

/// <summary>A type of the type section.</summary>
sealed class TypeDefinition
{
    /// <summary>Its index.</summary>
    public required int Index { get; init; }

    /// <summary>First index and size of its recursion group.</summary>
    public required int GroupStart { get; init; }
    public required int GroupLength { get; init; }

    public required CompositeKind Kind { get; init; }

    /// <summary>Function types: parameters and results.</summary>
    public FunctionType? Function { get; init; }

    /// <summary>Struct types: the fields. Array types: the element alone.</summary>
    public ImmutableArray<FieldType> Fields { get; init; } = Arrays<FieldType>.Empty;

    /// <summary>Declared supertypes (at most one in a valid module).</summary>
    public ImmutableArray<int> Supertypes { get; init; } = Arrays<int>.Empty;

    /// <summary>Whether no subtype may be declared.</summary>
    public bool IsFinal { get; init; } = true;
}

/// <summary>An import: its names, its kind, and its index in the space of that kind.</summary>
sealed record ImportDefinition(string Module, string Name, ExternKind Kind, int Index);

/// <summary>A run of locals of one type.</summary>
readonly record struct LocalRun(int Count, ValueType Type);

/// <summary>A function, imported or defined.</summary>
sealed class FunctionDefinition
{
    public required int Index { get; init; }
    public required int TypeIndex { get; init; }

    /// <summary>The import, or null for a function with a body.</summary>
    public ImportDefinition? Import { get; init; }

    /// <summary>Locals behind the parameters, in runs; zero counts are left out.</summary>
    public ImmutableArray<LocalRun> Locals { get; init; } = Arrays<LocalRun>.Empty;

    /// <summary>Number of locals behind the parameters.</summary>
    public int LocalCount { get; init; }

    /// <summary>The instructions, the final <c>end</c> included.</summary>
    public CodeRange Body { get; init; }

    /// <summary>Its type. Before validation empty where the index does not name a function type.</summary>
    public FunctionType Type { get; init; } = FunctionTypes.Empty;

    /// <summary>What the validator saw in the body; null for imports and before validation.</summary>
    public FunctionFacts? Facts { get; set; }
}

/// <summary>What validation learns of a body for free.</summary>
sealed class FunctionFacts
{
    /// <summary>Largest number of operands on the stack.</summary>
    public int OperandsMax { get; set; }

    /// <summary>Deepest nesting of blocks, the body itself counted.</summary>
    public int NestingMax { get; set; }

    public int InstructionCount { get; set; }

    /// <summary>Loads, stores, <c>memory.*</c> of memory 0.</summary>
    public bool UsesMemory { get; private set; }

    /// <summary>Other memories that the code names; null where there is none.</summary>
    public SortedSet<int>? FurtherMemories { get; private set; }

    /// <summary>Calls another function, or <c>memory.grow</c>: memory may be larger afterwards.</summary>
    public bool HasCalls { get; set; }

    /// <summary>Calls in place of itself.</summary>
    public bool HasTailCalls { get; set; }

    public bool GrowsMemory { get; set; }
    public bool HasLoops { get; set; }
    public bool HasTryTables { get; set; }

    /// <summary><c>rotl</c> or <c>rotr</c>.</summary>
    public bool HasRotations { get; set; }

    /// <summary>Neither calls nor loops: needs no stack or interruption check of its own.</summary>
    public bool IsLeaf => !HasCalls && !HasLoops;

    public void UseMemory(int memory)
    {
        if (memory == 0) UsesMemory = true;
        else (FurtherMemories ??= []).Add(memory);
    }
}

/// <summary>Size bounds of a memory (pages) or table (elements).</summary>
/// <param name="Min">Initial size.</param>
/// <param name="Max">Largest size, when one is declared.</param>
/// <param name="Is64">Whether addresses are <c>i64</c>.</param>
/// <param name="IsShared">Whether threads may share it.</param>
readonly record struct SizeLimits(ulong Min, ulong? Max, bool Is64, bool IsShared)
{
    /// <summary>Type of an address or index: <c>i32</c>, or <c>i64</c>.</summary>
    public ValueType AddressType => Is64 ? ValueType.I64 : ValueType.I32;
}

/// <summary>A table. <see cref="Initializer"/> is empty when elements start as null.</summary>
sealed record TableDefinition(
    ValueType ElementType, SizeLimits Limits, CodeRange Initializer, ImportDefinition? Import);

/// <summary>A linear memory.</summary>
sealed record MemoryDefinition(SizeLimits Limits, ImportDefinition? Import);

/// <summary>A global. <see cref="Initializer"/> is empty for imports.</summary>
sealed record GlobalDefinition(ValueType Type, bool IsMutable, CodeRange Initializer, ImportDefinition? Import);

/// <summary>An exception tag.</summary>
sealed record TagDefinition(int TypeIndex, ImportDefinition? Import);

/// <summary>When a segment is copied.</summary>
enum SegmentMode : byte
{
    /// <summary>At instantiation.</summary>
    Active,
    /// <summary>By <c>table.init</c> or <c>memory.init</c>.</summary>
    Passive,
    /// <summary>Never: it only declares functions for <c>ref.func</c>.</summary>
    Declarative,
}

/// <summary>An element segment: either function indices or constant expressions.</summary>
/// <param name="Mode">When it is copied.</param>
/// <param name="TableIndex">Active segments: the table.</param>
/// <param name="Offset">Active segments: constant expression of the first element's index.</param>
/// <param name="Type">Type of the elements.</param>
/// <param name="Functions">The functions; default when <see cref="Expressions"/> has the elements.</param>
/// <param name="Expressions">A constant expression each; default when <see cref="Functions"/> has them.</param>
sealed record ElementSegment(
    SegmentMode Mode, int TableIndex, CodeRange Offset, ValueType Type,
    ImmutableArray<int> Functions, ImmutableArray<CodeRange> Expressions)
{
    /// <summary>Number of elements.</summary>
    public int Count => Functions.IsDefault ? Expressions.Length : Functions.Length;
}

/// <summary>A data segment.</summary>
sealed record DataSegment(SegmentMode Mode, int MemoryIndex, CodeRange Offset, CodeRange Content);

/// <summary>A custom section.</summary>
sealed record CustomSection(string Name, CodeRange Content);
