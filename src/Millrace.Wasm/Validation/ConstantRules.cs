using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>Which instructions a constant expression may hold (core 3.4.13).</summary>
static class ConstantRules
{
    public static bool Allows(Opcode opcode, FunctionState state, int index) => opcode switch
    {
        Opcode.I32Const or Opcode.I64Const or Opcode.F32Const or Opcode.F64Const or Opcode.V128Const => true,
        Opcode.I32Add or Opcode.I32Sub or Opcode.I32Mul or Opcode.I64Add or Opcode.I64Sub or Opcode.I64Mul => true,
        Opcode.RefNull or Opcode.RefFunc or Opcode.RefI31 or Opcode.End => true,
        Opcode.StructNew or Opcode.StructNewDefault => true,
        Opcode.ArrayNew or Opcode.ArrayNewDefault or Opcode.ArrayNewFixed => true,
        Opcode.AnyConvertExtern or Opcode.ExternConvertAny => true,
        Opcode.GlobalGet => IsConstant(state, index),
        _ => false,
    };

    static bool IsConstant(FunctionState state, int index) =>
        (uint)index < (uint)state.VisibleGlobals
            ? !state.Context.Global(index).IsMutable
            : throw state.Invalid($"unknown global {(uint)index}");
}
