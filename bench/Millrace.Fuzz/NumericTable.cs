using System.Collections.Immutable;
using Millrace.Wasm;
using Millrace.Wasm.Binary;

namespace Millrace.Fuzz;

/// <summary>The engine's own instruction table, by what an instruction results in.</summary>
static class NumericTable
{
    // Relaxed vectors and the order of threads differ between engines by right.
    const WasmFeatures Left = WasmFeatures.RelaxedSimd | WasmFeatures.Threads;

    static readonly ImmutableArray<Instruction> All = [.. Instructions.All.ToArray().Where(row =>
        row.HasSignature && (row.Feature & Left) == 0 && !row.Name.EndsWith(".const", StringComparison.Ordinal)
        && row.Opcode != Opcode.Nop)];

    static readonly ImmutableDictionary<char, ImmutableArray<Instruction>> Pure = By(row =>
        row.Immediate is ImmediateKind.Nothing or ImmediateKind.Lane or ImmediateKind.Shuffle);

    static readonly ImmutableDictionary<char, ImmutableArray<Instruction>> Loads = By(row =>
        row.IsMemoryAccess && row.Results.Length == 1);

    /// <summary>Instructions that compute a value of that type.</summary>
    public static ImmutableArray<Instruction> Computing(char type) => Pure[type];

    /// <summary>Instructions that load a value of that type.</summary>
    public static ImmutableArray<Instruction> Loading(char type) => Loads[type];

    /// <summary>Instructions that store.</summary>
    public static ImmutableArray<Instruction> Stores { get; } =
        [.. All.Where(row => row.IsMemoryAccess && row.Results.IsEmpty)];

    /// <summary>All names that a module may hold and that are counted.</summary>
    public static IEnumerable<string> Names => All.Select(row => row.Name);

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
