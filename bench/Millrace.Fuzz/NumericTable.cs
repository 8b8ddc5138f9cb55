using System.Collections.Immutable;
using Millrace.Wasm;
using Millrace.Wasm.Binary;

namespace Millrace.Fuzz;

/// <summary>The engine's own instruction table, by what an instruction results in.</summary>
static class NumericTable
{
    static readonly ImmutableArray<Instruction> All = [.. Instructions.All.ToArray().Where(row =>
        row.HasSignature && !row.Name.EndsWith(".const", StringComparison.Ordinal) && row.Opcode != Opcode.Nop)];

    static readonly ImmutableDictionary<char, ImmutableArray<Instruction>> Pure = By(row =>
        row.Immediate is ImmediateKind.Nothing or ImmediateKind.Lane or ImmediateKind.Shuffle);

    static readonly ImmutableDictionary<char, ImmutableArray<Instruction>> Loads = By(row =>
        row.IsMemoryAccess && row.Results.Length == 1 && !IsAtomic(row));

    static readonly ImmutableDictionary<char, ImmutableArray<Instruction>> AtomicLoads = By(row =>
        row.IsMemoryAccess && row.Results.Length == 1 && IsAtomic(row)
        && row.Opcode is not (Opcode.MemoryAtomicWait32 or Opcode.MemoryAtomicWait64));

    /// <summary>Instructions that compute a value of that type.</summary>
    public static ImmutableArray<Instruction> Computing(char type) => Pure[type];

    /// <summary>Instructions that load a value of that type.</summary>
    public static ImmutableArray<Instruction> Loading(char type) => Loads[type];

    /// <summary>Atomic instructions that load a value of that type, or change what they load.</summary>
    public static ImmutableArray<Instruction> LoadingAtomically(char type) => AtomicLoads[type];

    /// <summary>Whether its address must be a multiple of its size.</summary>
    public static bool IsAtomic(Instruction row) => row.Feature == WasmFeatures.Threads;

    /// <summary>Whether its result may be one of several by right, unless its operands are chosen well.</summary>
    public static bool IsRelaxed(Instruction row) => row.Feature == WasmFeatures.RelaxedSimd;

    /// <summary>Instructions that store.</summary>
    public static ImmutableArray<Instruction> Stores { get; } =
        [.. All.Where(row => row.IsMemoryAccess && row.Results.IsEmpty)];

    /// <summary>Those that take operands and that a module may meet anywhere; waiting has its own places.</summary>
    public static ImmutableArray<Instruction> Any { get; } = [.. All.Where(row =>
        !row.Parameters.IsEmpty && row.Opcode is not (Opcode.MemoryAtomicWait32 or Opcode.MemoryAtomicWait64))];

    /// <summary>All names of instructions; those that only mark where others end do nothing that could be counted.</summary>
    public static IEnumerable<string> Names => Instructions.All.ToArray().Select(row => row.Name)
        .Where(name => name is not ("else" or "end")).Distinct();

    public static char Letter(Wasm.ValueType type) => type.Kind switch
    {
        ValueKind.I32 => 'i',
        ValueKind.I64 => 'l',
        ValueKind.F32 => 'f',
        ValueKind.F64 => 'd',
        _ => 'v',
    };

    static ImmutableDictionary<char, ImmutableArray<Instruction>> By(Func<Instruction, bool> fits) => Letters.All
        .ToImmutableDictionary(type => type, type => All
            .Where(row => row.Results.Length == 1 && Letter(row.Results[0]) == type && fits(row)).ToImmutableArray());
}
