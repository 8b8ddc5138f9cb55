using System.Reflection.Metadata;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// <c>select</c>, whose operands are free of effects. The JIT makes a conditional move of a jump outside loops only. In
/// a loop a jump on data that nobody can foretell costs more than all else there, so where little is computed for
/// nothing the bits of both are mixed instead.
/// </summary>
static class Selections
{
    const int MixedSizeMax = 4;
    const int SignShift = 31;

    static readonly Operation? IsLess = Operations.Find(Opcode.I32LtS);

    /// <summary>Computes it now; the result is a temporary.</summary>
    public static Expression Compute(
        FunctionBody body, OperandStack stack, Expression first, Expression second, Expression condition) =>
        IsMixed(first, second, condition) ? Mix(body, stack, first, second, condition)
            : Jump(body, stack, first, second, condition);

    // A jump that is foretold does not wait for what its condition reads from memory.
    static bool IsMixed(Expression first, Expression second, Expression condition) =>
        first.Type is CilType.I32 or CilType.I64 && first.Size + second.Size <= MixedSizeMax
        && (condition.Reads & Reads.Memory) == 0;

    static Expression Jump(
        FunctionBody body, OperandStack stack, Expression first, Expression second, Expression condition)
    {
        stack.Write(first);
        var result = body.Pool.Take(first.Type);
        body.Il.StoreLocal(result);
        var skip = new IlLabel();
        stack.WriteJump(condition, whenTrue: true, skip);
        stack.Write(second);
        body.Il.StoreLocal(result);
        body.Il.Mark(skip);
        return first.InTemp(result);
    }

    // second ^ ((first ^ second) & mask)
    static Expression Mix(
        FunctionBody body, OperandStack stack, Expression first, Expression second, Expression condition)
    {
        var il = body.Il;
        stack.Write(second);
        var result = body.Pool.Take(first.Type);
        il.StoreLocal(result);
        stack.Write(first);
        il.LoadLocal(result);
        il.Op(ILOpCode.Xor);
        WriteMask(il, stack, condition, first.Type == CilType.I64);
        il.Op(ILOpCode.And);
        il.LoadLocal(result);
        il.Op(ILOpCode.Xor);
        il.StoreLocal(result);
        return first.InTemp(result);
    }

    // All ones where the condition holds, else zero.
    static void WriteMask(IlWriter il, OperandStack stack, Expression condition, bool isLong)
    {
        if (condition.Operation == IsLess && condition.B is { Kind: ExpressionKind.Constant, IsZero: true })
        {
            stack.Write(condition.A!);
            il.Constant(SignShift);
            il.Op(ILOpCode.Shr);
            if (isLong) il.Op(ILOpCode.Conv_i8);
            return;
        }
        stack.Write(condition);
        if (!IsZeroOrOne(condition))
        {
            il.Constant(0);
            il.Op(ILOpCode.Cgt_un);
        }
        if (isLong) il.Op(ILOpCode.Conv_u8);
        il.Op(ILOpCode.Neg);
    }

    static bool IsZeroOrOne(Expression number) => number.Operation is { JumpIfTrue: not ILOpCode.Nop };
}
