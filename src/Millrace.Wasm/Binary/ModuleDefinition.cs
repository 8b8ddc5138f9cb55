using System.Collections.Frozen;
using System.Collections.Immutable;
using Millrace.Wasm.Dwarf;

namespace Millrace.Wasm.Binary;

/// <summary>A range of the module's bytes.</summary>
/// <param name="Start">Offset of the first byte.</param>
/// <param name="End">Offset behind the last byte.</param>
readonly record struct CodeRange(int Start, int End)
{
    public int Length => End - Start;
    public bool IsEmpty => Start == End;
}

/// <summary>
/// A decoded module: sections as tables, code and constant expressions as ranges of <see cref="Bytes"/> that
/// <see cref="InstructionReader"/> walks. Index spaces (functions, tables, memories, globals, tags) hold imports
/// first; an entry's <c>Import</c> tells whether it is one. Immutable after <c>Validator.Validate</c>, which fills
/// <see cref="FunctionDefinition.Facts"/>.
/// </summary>
sealed class ModuleDefinition
{
    /// <summary>The whole module. Not copied: the caller must not change it.</summary>
    public required ReadOnlyMemory<byte> Bytes { get; init; }

    /// <summary>Types by index, recursion groups flattened.</summary>
    public ImmutableArray<TypeDefinition> Types { get; init; } = Arrays<TypeDefinition>.Empty;

    public ImmutableArray<ImportDefinition> Imports { get; init; } = Arrays<ImportDefinition>.Empty;

    public ImmutableArray<FunctionDefinition> Functions { get; init; } = Arrays<FunctionDefinition>.Empty;

    public ImmutableArray<TableDefinition> Tables { get; init; } = Arrays<TableDefinition>.Empty;

    public ImmutableArray<MemoryDefinition> Memories { get; init; } = Arrays<MemoryDefinition>.Empty;

    public ImmutableArray<GlobalDefinition> Globals { get; init; } = Arrays<GlobalDefinition>.Empty;

    public ImmutableArray<TagDefinition> Tags { get; init; } = Arrays<TagDefinition>.Empty;

    public ImmutableArray<ModuleExport> Exports { get; init; } = Arrays<ModuleExport>.Empty;

    /// <summary>The start function, or −1. As read: compare as unsigned, see <see cref="HasStart"/>.</summary>
    public int StartFunction { get; init; } = -1;

    public bool HasStart { get; init; }

    public ImmutableArray<ElementSegment> Elements { get; init; } = Arrays<ElementSegment>.Empty;

    public ImmutableArray<DataSegment> Data { get; init; } = Arrays<DataSegment>.Empty;

    public ImmutableArray<CustomSection> CustomSections { get; init; } = Arrays<CustomSection>.Empty;

    /// <summary>The content of the code section: where offsets of debug sections count from.</summary>
    public CodeRange CodeSection { get; init; }

    /// <summary>What the module uses beyond the first edition of WebAssembly: types, sections and code.</summary>
    public WasmFeatures Features { get; init; }

    public int ImportedFunctionCount { get; init; }
    public int ImportedTableCount { get; init; }
    public int ImportedMemoryCount { get; init; }
    public int ImportedGlobalCount { get; init; }
    public int ImportedTagCount { get; init; }

    /// <summary>Names from the name section; read on first use, empty where it is absent or malformed.</summary>
    public NameSection Names => _names ?? Interlocked.CompareExchange(ref _names, ReadNames(), null) ?? _names;

    NameSection? _names;

    /// <summary>Source lines of the code; read on first use, empty where there are none.</summary>
    public LineTable Lines =>
        _lines ?? Interlocked.CompareExchange(ref _lines, LineTable.Read(this), null) ?? _lines;

    LineTable? _lines;

    // First export of each function that has one.
    FrozenDictionary<int, string> ExportNames => _exportNames ??= Exports
        .Where(export => export.Kind == ExternKind.Function)
        .DistinctBy(export => export.Index)
        .ToFrozenDictionary(export => export.Index, export => export.Name);

    FrozenDictionary<int, string>? _exportNames;

    /// <summary>A function's name from the name section, its first export or its import, or null.</summary>
    public string? FunctionName(int index)
    {
        if (Names.Functions.TryGetValue(index, out var name) || ExportNames.TryGetValue(index, out name)) return name;
        return (uint)index < (uint)ImportedFunctionCount && Functions[index].Import is { } import
            ? $"{import.Module}.{import.Name}"
            : null;
    }

    /// <summary>The function type that a block type stands for. Valid modules only.</summary>
    public FunctionType TypeOf(BlockType block) => block switch
    {
        { TypeIndex: >= 0 } => Types[(int)block.TypeIndex].Function!,
        { Result.Kind: ValueKind.Bottom } => FunctionTypes.Empty,
        _ => FunctionTypes.Giving(block.Result),
    };

    /// <summary>The type of a tag. Valid modules only.</summary>
    public FunctionType TagType(int tag) => Types[Tags[tag].TypeIndex].Function!;

    NameSection ReadNames()
    {
        foreach (var section in CustomSections)
            if (section.Name == "name") return NameSection.Read(Bytes.Span, section.Content);
        return NameSection.Empty;
    }
}

/// <summary>Function types of short-form blocks, made once.</summary>
static class FunctionTypes
{
    public static readonly FunctionType Empty = new(Arrays<ValueType>.Empty, Arrays<ValueType>.Empty);

    static readonly FunctionType[] Single =
    [
        Empty, Of(ValueType.I32), Of(ValueType.I64), Of(ValueType.F32), Of(ValueType.F64), Of(ValueType.V128),
    ];

    public static FunctionType Giving(ValueType result) =>
        result.Kind == ValueKind.Ref ? Of(result) : Single[(int)result.Kind];

    static FunctionType Of(ValueType result) =>
        new(Arrays<ValueType>.Empty, Arrays<ValueType>.Immutable(new[] { result }));
}
