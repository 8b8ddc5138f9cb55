using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Millrace.Wasm.Binary;

/// <summary>One row of the instruction table.</summary>
sealed class Instruction(
    Opcode opcode, string name, ImmediateKind immediate = ImmediateKind.Nothing, string? signature = null,
    WasmFeatures feature = WasmFeatures.None, int accessLog2 = -1)
{
    public Opcode Opcode { get; } = opcode;

    /// <summary>The specification's spelling.</summary>
    public string Name { get; } = name;

    /// <summary>What follows the opcode.</summary>
    public ImmediateKind Immediate { get; } = immediate;

    /// <summary>Whether <see cref="Parameters"/> and <see cref="Results"/> say it all.</summary>
    public bool HasSignature { get; } = signature is not null;

    /// <summary>
    /// Operands, the last one on top. The first one of a memory access is the address; see
    /// <see cref="Parameters64"/>.
    /// </summary>
    public ImmutableArray<ValueType> Parameters { get; } = Side(signature, 0);

    /// <summary>Operands of a memory access when the memory has 64-bit addresses.</summary>
    public ImmutableArray<ValueType> Parameters64 { get; } =
        immediate is ImmediateKind.MemoryAccess or ImmediateKind.MemoryAccessLane
            ? Side(signature, 0).SetItem(0, ValueType.I64)
            : [];

    /// <summary>Results.</summary>
    public ImmutableArray<ValueType> Results { get; } = Side(signature, 1);

    /// <summary>The feature that brought it.</summary>
    public WasmFeatures Feature { get; } = feature;

    /// <summary>Memory accesses: log2 of the bytes accessed, which is the natural alignment. Lane instructions: log2
    /// of a lane's bytes. Else −1.</summary>
    public int AccessLog2 { get; } = accessLog2;

    /// <summary>Bytes that a memory access reads or writes.</summary>
    public int AccessBytes => 1 << AccessLog2;

    /// <summary>Whether the first operand is a memory address.</summary>
    public bool IsMemoryAccess => Immediate is ImmediateKind.MemoryAccess or ImmediateKind.MemoryAccessLane;

    public override string ToString() => Name;

    static ImmutableArray<ValueType> Side(string? signature, int side) =>
        signature is null ? [] : [.. signature.Split(':')[side].Select(TypeOf)];

    static ValueType TypeOf(char letter) => letter switch
    {
        'i' => ValueType.I32,
        'l' => ValueType.I64,
        'f' => ValueType.F32,
        'd' => ValueType.F64,
        'v' => ValueType.V128,
        _ => throw new ArgumentOutOfRangeException(nameof(letter), letter, null),
    };
}

/// <summary>The table of all instructions: decoder, validator, compiler and text reader are driven by it.</summary>
static partial class Instructions
{
    static readonly Instruction[] Table = Rows();
    static readonly Instruction?[] Plain = Page(0);
    static readonly Instruction?[] GcPage = Page(0xFB);
    static readonly Instruction?[] MiscPage = Page(0xFC);
    static readonly Instruction?[] VectorPage = Page(0xFD);
    static readonly Instruction?[] AtomicPage = Page(0xFE);

    // `select` without types, and the casts to a non-null reference, come first in opcode order and win.
    static readonly FrozenDictionary<string, Instruction> ByName =
        Table.GroupBy(row => row.Name).ToFrozenDictionary(group => group.Key, group => group.First());

    /// <summary>All rows in the order of their opcodes.</summary>
    public static ReadOnlySpan<Instruction> All => Table;

    /// <summary>The row of an opcode that is known to exist.</summary>
    public static Instruction Of(Opcode opcode) =>
        Find((uint)opcode >> 12, (uint)opcode & 0xFFF)
        ?? throw new ArgumentOutOfRangeException(nameof(opcode), opcode, null);

    /// <summary>The row of <paramref name="number"/> behind <paramref name="prefix"/> (0: none), or null.</summary>
    public static Instruction? Find(uint prefix, uint number)
    {
        var page = prefix switch
        {
            0 => Plain,
            0xFB => GcPage,
            0xFC => MiscPage,
            0xFD => VectorPage,
            0xFE => AtomicPage,
            _ => [],
        };
        return number < (uint)page.Length ? page[number] : null;
    }

    /// <summary>The row of a spelling, or null. Of instructions that share one (<c>select</c>, <c>ref.test</c>,
    /// <c>ref.cast</c>) the one with the smallest opcode.</summary>
    public static Instruction? Find(string name) => ByName.GetValueOrDefault(name);

    static Instruction?[] Page(uint prefix)
    {
        var rows = Table.Where(row => (uint)row.Opcode >> 12 == prefix).ToArray();
        var page = new Instruction?[rows.Max(row => (int)row.Opcode & 0xFFF) + 1];
        foreach (var row in rows) page[(int)row.Opcode & 0xFFF] = row;
        return page;
    }
}
