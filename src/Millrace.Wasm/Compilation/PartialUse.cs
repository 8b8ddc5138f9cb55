using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Loads of which the code behind uses only a part. The JIT makes them as narrow as that part, or leaves a touch of
/// their first bytes, and then a fault no longer tells that they reached behind the end. They are checked in code.
/// </summary>
/// <remarks>
/// A look at one instruction, or two, finds what compilers and people write; a value that goes through a local or a
/// sum first is not followed. docs/design/engine.md tells what is lost.
/// </remarks>
static class PartialUse
{
    // Parts of names: of the instructions that take part of their operand, or none of it.
    static readonly string[] Narrow =
    [
        "wrap", "extend8_s", "extend16_s", "extend32_s", "store8", "store16", "store32", "_low_", "_lane", "shuffle",
        "splat", "i32.and", "i64.and", "i64.shl", "i64.shr", "i64.rot",
    ];

    static readonly HashSet<Opcode> Opcodes = [.. Instructions.All.ToArray()
        .Where(row => Narrow.Any(part => row.Name.Contains(part, StringComparison.Ordinal)) || row.Opcode == Opcode.Drop)
        .Select(row => row.Opcode)];

    /// <summary>Whether that is what comes behind the instruction that was read.</summary>
    /// <param name="ahead">A copy, which reads on.</param>
    public static bool Follows(InstructionReader ahead)
    {
        if (!ahead.Read()) return false;
        if (ahead.Opcode is not (Opcode.I32Const or Opcode.I64Const)) return Opcodes.Contains(ahead.Opcode);
        return ahead.Read() && ahead.Opcode is Opcode.I32And or Opcode.I64And;
    }
}
