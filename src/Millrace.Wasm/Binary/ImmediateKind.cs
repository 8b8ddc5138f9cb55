namespace Millrace.Wasm.Binary;

/// <summary>
/// What follows an opcode, and where <see cref="InstructionReader"/> puts it. "Index" and "Second" are
/// <see cref="InstructionReader.Index"/> and <see cref="InstructionReader.SecondIndex"/>.
/// </summary>
enum ImmediateKind : byte
{
    /// <summary>Nothing.</summary>
    Nothing,
    /// <summary>A block type: <see cref="InstructionReader.Block"/>.</summary>
    Block,
    /// <summary>A block type and catch clauses: Block and <see cref="InstructionReader.Catches"/>.</summary>
    TryBlock,
    /// <summary>A label: Index.</summary>
    LabelIndex,
    /// <summary>Labels and the default one: <see cref="InstructionReader.Labels"/>, the default last.</summary>
    LabelTable,
    /// <summary>A function: Index.</summary>
    FunctionIndex,
    /// <summary>A type: Index.</summary>
    TypeIndex,
    /// <summary>A type (Index) and a table (Second).</summary>
    CallIndirect,
    /// <summary>A table: Index.</summary>
    TableIndex,
    /// <summary>A memory: Index.</summary>
    MemoryIndex,
    /// <summary>A local: Index.</summary>
    LocalIndex,
    /// <summary>A global: Index.</summary>
    GlobalIndex,
    /// <summary>A tag: Index.</summary>
    TagIndex,
    /// <summary>A data segment: Index.</summary>
    DataIndex,
    /// <summary>An element segment: Index.</summary>
    ElementIndex,
    /// <summary>A constant: <see cref="InstructionReader.I32"/>.</summary>
    I32,
    /// <summary>A constant: <see cref="InstructionReader.I64"/>.</summary>
    I64,
    /// <summary>A constant: <see cref="InstructionReader.Bits"/>.</summary>
    F32,
    /// <summary>A constant: <see cref="InstructionReader.Bits"/>.</summary>
    F64,
    /// <summary>A constant: <see cref="InstructionReader.Vector"/>.</summary>
    V128,
    /// <summary>Alignment, memory (Index) and <see cref="InstructionReader.MemoryOffset"/>.</summary>
    MemoryAccess,
    /// <summary>As <see cref="MemoryAccess"/>, and a lane.</summary>
    MemoryAccessLane,
    /// <summary>A lane: <see cref="InstructionReader.Lane"/>.</summary>
    Lane,
    /// <summary>Sixteen lanes: <see cref="InstructionReader.Vector"/>.</summary>
    Shuffle,
    /// <summary>A heap type: <see cref="InstructionReader.Reference"/>, nullable where the instruction says so.</summary>
    HeapType,
    /// <summary>Value types: <see cref="InstructionReader.SelectTypes"/>.</summary>
    SelectTypes,
    /// <summary>A data segment (Index) and a memory (Second).</summary>
    MemoryInit,
    /// <summary>Target memory (Index) and source memory (Second).</summary>
    MemoryCopy,
    /// <summary>An element segment (Index) and a table (Second).</summary>
    TableInit,
    /// <summary>Target table (Index) and source table (Second).</summary>
    TableCopy,
    /// <summary>A struct type (Index) and a field (Second).</summary>
    StructField,
    /// <summary>An array type (Index) and a count (Second).</summary>
    TypeAndCount,
    /// <summary>An array type (Index) and a data segment (Second).</summary>
    TypeAndData,
    /// <summary>An array type (Index) and an element segment (Second).</summary>
    TypeAndElement,
    /// <summary>Target array type (Index) and source array type (Second).</summary>
    TypeAndType,
    /// <summary>A label (Index), the type before (<see cref="InstructionReader.CastFrom"/>) and after the cast
    /// (<see cref="InstructionReader.Reference"/>).</summary>
    CastBranch,
    /// <summary>A zero byte.</summary>
    Fence,
}
