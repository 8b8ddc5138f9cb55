using Millrace.Wasm.Ahead;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Dwarf;

namespace Millrace.Wasm.Compilation;

/// <summary>What all functions of a module share while they are compiled.</summary>
sealed record ModuleScope(ModuleDefinition Definition, ImageBuilder Image, LinkedTypes Types, EngineOptions Options)
{
    /// <summary>Cells of the numbers that the engine gives; null where the code is this engine's alone, and holds
    /// the numbers themselves.</summary>
    public LinkedCells? Cells { get; init; }

    public bool IsPortable => Options.IsPortable;

    /// <summary>Whether pages guard such a memory.</summary>
    public bool IsGuarded(SizeLimits memory) => Options.MemoryChecks == MemoryChecks.Guarded && !memory.Is64;

    public bool IsMetered => Options.IsMetered;

    /// <summary>
    /// Whether traps tell the instruction: only where its line is known, for each site then needs code of its own.
    /// </summary>
    public bool TellsSites { get; } = LineTable.IsIn(Definition);

    public bool Has(CompilerFault fault) => Options.Fault == fault;

    /// <summary>Whether that check is left out.</summary>
    public bool Lacks(SafetyCheck check) => Options.Without == check;

    /// <summary>Classes of the struct types that the code touches.</summary>
    public StructClasses Classes { get; } = new(Image, Definition, Types);

    public int ImportCount => Definition.ImportedFunctionCount;

    /// <summary>The token of a defined function.</summary>
    public int FunctionToken(int index) => ImageBuilder.MethodToken(index - ImportCount);
}
