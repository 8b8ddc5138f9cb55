using System.Runtime.Intrinsics;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Vector instructions: the rows of <see cref="VectorOperations"/>, and trees of them. Relaxed instructions give what
/// the specification's deterministic profile gives, on every machine.
/// </summary>
sealed class Vectors(OperandStack stack)
{
    static readonly Expression Zero = Expression.Constant(Vector128<byte>.Zero);

    /// <summary>Whether it is one of these: all that the vector prefix holds but loads and stores.</summary>
    public static bool Has(Opcode opcode) => (uint)opcode >> 12 == 0xFD;

    public void Push(ref InstructionReader reader)
    {
        var opcode = reader.Opcode;
        switch (opcode)
        {
            case Opcode.V128Const: stack.Push(Expression.Constant(reader.Vector)); return;
            case Opcode.I8x16Shuffle: PushShuffle(reader.Vector); return;
            case Opcode.V128Bitselect: PushSelect(); return;
            case >= Opcode.I8x16RelaxedLaneselect and <= Opcode.I64x2RelaxedLaneselect: PushSelect(); return;
            case >= Opcode.F32x4RelaxedMadd and <= Opcode.F64x2RelaxedNmadd: PushMultiplyAdd(opcode); return;
            case Opcode.I32x4RelaxedDotI8x16I7x16AddS: PushDotAdd(); return;
        }
        opcode = Strict(opcode);
        if (reader.Row.Parameters.Length == 1) PushUnary(opcode, reader.Lane);
        else PushBinary(opcode, reader.Lane);
    }

    // The deterministic profile: what the instruction without "relaxed" does.
    static Opcode Strict(Opcode opcode) => opcode switch
    {
        Opcode.I8x16RelaxedSwizzle => Opcode.I8x16Swizzle,
        Opcode.I32x4RelaxedTruncF32x4S => Opcode.I32x4TruncSatF32x4S,
        Opcode.I32x4RelaxedTruncF32x4U => Opcode.I32x4TruncSatF32x4U,
        Opcode.I32x4RelaxedTruncF64x2SZero => Opcode.I32x4TruncSatF64x2SZero,
        Opcode.I32x4RelaxedTruncF64x2UZero => Opcode.I32x4TruncSatF64x2UZero,
        Opcode.F32x4RelaxedMin => Opcode.F32x4Min,
        Opcode.F32x4RelaxedMax => Opcode.F32x4Max,
        Opcode.F64x2RelaxedMin => Opcode.F64x2Min,
        Opcode.F64x2RelaxedMax => Opcode.F64x2Max,
        Opcode.I16x8RelaxedQ15mulrS => Opcode.I16x8Q15mulrSatS,
        _ => opcode,
    };

    void PushUnary(Opcode opcode, int lane)
    {
        var operand = stack.Pop();
        stack.Push(VectorConstants.Folded(opcode, operand, lane) ?? opcode switch
        {
            Opcode.V128AnyTrue => Expression.Of(VectorOperations.Differ, operand, Zero),
            Opcode.I8x16AllTrue => AllTrue(operand, 0),
            Opcode.I16x8AllTrue => AllTrue(operand, 1),
            Opcode.I32x4AllTrue => AllTrue(operand, 2),
            Opcode.I64x2AllTrue => AllTrue(operand, 3),
            // Signs are bits: those of NaNs as well, whose payload must stay.
            Opcode.F32x4Abs => Masked(VectorOperations.And, operand, 0x7FFFFFFF_7FFFFFFF),
            Opcode.F64x2Abs => Masked(VectorOperations.And, operand, 0x7FFFFFFF_FFFFFFFF),
            Opcode.F32x4Neg => Masked(VectorOperations.Xor, operand, 0x80000000_80000000),
            Opcode.F64x2Neg => Masked(VectorOperations.Xor, operand, 0x80000000_00000000),
            _ => Expression.Of(VectorOperations.Of(opcode), operand, lane: lane),
        });
    }

    void PushBinary(Opcode opcode, int lane)
    {
        var right = stack.Pop();
        var left = stack.Pop();
        if (Equality(opcode) is { } equality)
        {
            stack.Push(Expression.Of(VectorOperations.Not, Expression.Of(VectorOperations.Of(equality), left, right)));
            return;
        }
        if (opcode == Opcode.I8x16Swizzle && right.Kind == ExpressionKind.Constant)
        {
            stack.Push(VectorShuffles.Of(left, right.Vector));
            return;
        }
        if (ShiftedBits(opcode) is { } bits) right = Numbers.MaskedCount(right, bits);
        if (IsFloatChoice(opcode))
            (left, right) = (VectorConstants.WithoutNaN(left), VectorConstants.WithoutNaN(right));
        if (VectorOperations.Choice(opcode) is { } choice)
        {
            stack.Push(Expression.Of(choice, right, left));
            return;
        }
        stack.Push(IsFloatArithmetic(opcode)
            ? Arithmetic(opcode, left, right)
            : Expression.Of(VectorOperations.Of(opcode), left, right, lane: lane));
    }

    static Expression AllTrue(Expression operand, int laneLog2) => Expression.Of(
        Operations.Find(Opcode.I32Eqz)!, Expression.Of(VectorOperations.AnyEqual(laneLog2), operand, Zero));

    static Expression Masked(Operation operation, Expression operand, ulong mask) =>
        Expression.Of(operation, operand, Expression.Constant(Vector128.Create(mask).AsByte()));

    // The comparison whose opposite it is.
    static Opcode? Equality(Opcode opcode) => opcode switch
    {
        Opcode.I8x16Ne or Opcode.I16x8Ne or Opcode.I32x4Ne or Opcode.I64x2Ne => opcode - 1,
        Opcode.F32x4Ne or Opcode.F64x2Ne => opcode - 1,
        _ => null,
    };

    static int? ShiftedBits(Opcode opcode) => opcode switch
    {
        >= Opcode.I8x16Shl and <= Opcode.I8x16ShrU => 8,
        >= Opcode.I16x8Shl and <= Opcode.I16x8ShrU => 16,
        >= Opcode.I32x4Shl and <= Opcode.I32x4ShrU => 32,
        >= Opcode.I64x2Shl and <= Opcode.I64x2ShrU => 64,
        _ => null,
    };

    static bool IsFloatArithmetic(Opcode opcode) =>
        opcode is >= Opcode.F32x4Add and <= Opcode.F32x4Div or >= Opcode.F64x2Add and <= Opcode.F64x2Div;

    static bool IsFloatChoice(Opcode opcode) =>
        opcode is >= Opcode.F32x4Min and <= Opcode.F32x4Pmax or >= Opcode.F64x2Min and <= Opcode.F64x2Pmax;

    void PushSelect()
    {
        var mask = stack.Pop();
        var second = stack.Pop();
        var first = stack.Pop();
        stack.Push(Expression.Of(VectorOperations.Select, mask, first, second));
    }

    // Rounded twice: the one result of those allowed that every machine has.
    void PushMultiplyAdd(Opcode opcode)
    {
        var addend = stack.Pop();
        var right = stack.Pop();
        var left = stack.Pop();
        var isSingle = opcode is Opcode.F32x4RelaxedMadd or Opcode.F32x4RelaxedNmadd;
        var isNegated = opcode is Opcode.F32x4RelaxedNmadd or Opcode.F64x2RelaxedNmadd;
        var product = Arithmetic(isSingle ? Opcode.F32x4Mul : Opcode.F64x2Mul, left, right);
        stack.Push(isNegated
            ? Arithmetic(isSingle ? Opcode.F32x4Sub : Opcode.F64x2Sub, addend, product)
            : Arithmetic(isSingle ? Opcode.F32x4Add : Opcode.F64x2Add, product, addend));
    }

    void PushDotAdd()
    {
        var addend = stack.Pop();
        var right = stack.Pop();
        var left = stack.Pop();
        var pairs = Expression.Of(
            VectorOperations.Of(Opcode.I32x4ExtaddPairwiseI16x8S),
            Of(Opcode.I16x8RelaxedDotI8x16I7x16S, left, right));
        stack.Push(Of(Opcode.I32x4Add, pairs, addend));
    }

    static Expression Arithmetic(Opcode opcode, Expression left, Expression right) => Of(
        opcode,
        VectorConstants.Hidden(left, isRight: false, opcode),
        VectorConstants.Hidden(right, isRight: true, opcode));

    static Expression Of(Opcode opcode, Expression left, Expression right) =>
        Expression.Of(VectorOperations.Of(opcode), left, right);

    void PushShuffle(Vector128<byte> lanes)
    {
        var right = stack.Pop();
        var left = stack.Pop();
        // Of one vector only: the other one goes, or is the same local.
        var isSame = left.Kind == ExpressionKind.Local && right.Kind == ExpressionKind.Local
            && left.Index == right.Index;
        if (isSame) lanes &= Vector128.Create((byte)15);
        if (Vector128.LessThanAll(lanes, Vector128.Create((byte)16)))
        {
            stack.Release(right);
            stack.Push(VectorShuffles.Of(left, lanes));
        }
        else if (Vector128.GreaterThanAll(lanes, Vector128.Create((byte)15)))
        {
            stack.Release(left);
            stack.Push(VectorShuffles.Of(right, lanes - Vector128.Create((byte)16)));
        }
        else
        {
            stack.Push(VectorShuffles.Of(left, right, lanes));
        }
    }
}
