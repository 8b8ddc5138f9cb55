using System.Reflection;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>Numeric instructions: the table's rows, and the few that need more.</summary>
static class Numbers
{
    public static void Push(FunctionBody body, OperandStack stack, Opcode opcode, Operation operation)
    {
        var isBinary = Instructions.Of(opcode).Parameters.Length == 2;
        var right = isBinary ? stack.Pop() : null;
        var left = stack.Pop();
        if (right is not null && IsShift(opcode)) right = MaskedCount(right, left.Type == CilType.I32 ? 32 : 64);
        if (right is not null && IsShift(opcode) && body.Module.Has(CompilerFault.MasksShiftsTooFar))
            right = MaskedCount(right, 16);
        if (right is not null && HasSafeDivisor(right)) operation = Operations.PlainDivision(opcode) ?? operation;
        if (IsFloatArithmetic(opcode)) (left, right) = (Hidden(left), Hidden(right!));
        if (opcode == Opcode.F32DemoteF64) left = Unfolded(left);
        var result = Expression.Of(operation, left, right);
        stack.Push(operation.CanTrap ? Now(body, stack, result) : result);
    }

    // What may trap happens in its place: before whatever comes next has an effect.
    static Expression Now(FunctionBody body, OperandStack stack, Expression expression)
    {
        stack.Write(expression);
        var temp = body.Pool.Take(expression.Type);
        body.Il.StoreLocal(temp);
        return Expression.Temp(expression.Type, temp);
    }

    static bool IsShift(Opcode opcode) =>
        opcode is >= Opcode.I32Shl and <= Opcode.I32ShrU or >= Opcode.I64Shl and <= Opcode.I64ShrU;

    // CIL leaves shifts by the width or more undefined; wasm takes the count modulo the width.
    public static Expression MaskedCount(Expression count, int width)
    {
        var mask = (ulong)width - 1;
        if (count.Kind == ExpressionKind.Constant) return Expression.Constant(CilType.I32, count.Bits & mask);
        var narrow = count.Type == CilType.I32 ? count : Expression.Of(Operations.I64ToI32, count);
        return Expression.Of(Operations.I32And, narrow, Expression.Constant(CilType.I32, mask));
    }

    static bool HasSafeDivisor(Expression divisor)
    {
        if (divisor.Kind != ExpressionKind.Constant) return false;
        var value = divisor.Type == CilType.I32 ? (int)divisor.Bits : (long)divisor.Bits;
        return value is not (0 or -1);
    }

    static bool IsFloatArithmetic(Opcode opcode) =>
        opcode is >= Opcode.F32Add and <= Opcode.F32Div or >= Opcode.F64Add and <= Opcode.F64Div;

    /// <summary>Hides a constant float that the JIT would fold away together with the quieting of a NaN: see
    /// <see cref="GuestMath.F32Zero"/>.</summary>
    public static Expression Hidden(Expression operand)
    {
        if (operand is not { Kind: ExpressionKind.Constant, Type: CilType.F32 or CilType.F64 }) return operand;
        var isNarrow = operand.Type == CilType.F32;
        var value = isNarrow
            ? BitConverter.Int32BitsToSingle((int)operand.Bits)
            : BitConverter.Int64BitsToDouble((long)operand.Bits);
        var name = value switch
        {
            0 => double.IsNegative(value) ? "NegativeZero" : "Zero",
            1 => "One",
            -1 => "NegativeOne",
            _ => null,
        };
        return name is null ? operand : Expression.StaticField(operand.Type, Field((isNarrow ? "F32" : "F64") + name));
    }

    // The JIT takes (float)(double)x for x, also across a local, which would let a signalling NaN through. Adding a
    // negative zero changes nothing else.
    static Expression Unfolded(Expression wide) => wide.Kind
        is ExpressionKind.Local or ExpressionKind.Temp or ExpressionKind.BlockTemp
        || wide.Operation == Operations.Find(Opcode.F64PromoteF32)
            ? Expression.Of(Operations.F64Add, wide, Expression.StaticField(CilType.F64, Field("F64NegativeZero")))
            : wide;

    static FieldInfo Field(string name) => GuestMembers.Field(typeof(GuestMath), name);
}
