using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Keeps rotated values from comparisons that the JIT sees. RyuJIT takes the flags of x64's <c>rol</c> and <c>ror</c>
/// for those of a comparison with zero, which they are not, so that a branch on a rotated value goes wrong (seen in
/// 10.0.12; tests: RotationTests). It may meet one in any comparison behind a rotation: through locals, memory, whatever
/// it folds away, and functions that it inlines. So in a function that rotates every number that an instruction might
/// compare, itself or in a callee, is hidden behind an <c>or</c> with a zero that the JIT does not know, and the
/// function is not inlined.
/// </summary>
static class Rotations
{
    // Of the instructions that are not named below none compares more.
    const int OperandsMax = 5;

    /// <summary>How many of the operands on top the instruction might compare.</summary>
    public static int Compared(ModuleDefinition module, ref InstructionReader reader) => reader.Opcode switch
    {
        Opcode.Unreachable or Opcode.Nop or Opcode.Block or Opcode.Loop or Opcode.TryTable or Opcode.Else or Opcode.End
            or Opcode.Br or Opcode.Return or Opcode.Drop or Opcode.MemorySize => 0,
        Opcode.LocalGet or Opcode.LocalSet or Opcode.LocalTee or Opcode.GlobalGet or Opcode.GlobalSet => 0,
        Opcode.BrIf or Opcode.If or Opcode.BrTable or Opcode.Select or Opcode.SelectTyped => 1,
        Opcode.Call or Opcode.ReturnCall => Parameters(module.Functions[reader.Index].Type),
        Opcode.CallRef or Opcode.ReturnCallRef or Opcode.CallIndirect or Opcode.ReturnCallIndirect =>
            Parameters(module.Types[reader.Index].Function!) + 1,
        _ when AtomicInstructions.Has(reader.Opcode) => OperandsMax,
        _ when IsBitwise(reader.Opcode) || reader.Row.IsMemoryAccess => 0,
        _ => reader.Row.HasSignature ? reader.Row.Parameters.Length : OperandsMax,
    };

    static int Parameters(FunctionType type) => type.Parameters.Length;

    // What becomes plain arithmetic: the result may be a rotated value, but nothing is compared.
    static bool IsBitwise(Opcode opcode) => opcode is >= Opcode.I32Add and <= Opcode.I32Mul
        or >= Opcode.I32And and <= Opcode.I32Rotr or >= Opcode.I64Add and <= Opcode.I64Mul
        or >= Opcode.I64And and <= Opcode.I64Rotr
        or Opcode.I32WrapI64 or Opcode.I64ExtendI32S or Opcode.I64ExtendI32U
        or >= Opcode.I32Extend8S and <= Opcode.I64Extend32S;
}
