using System.Reflection;
using System.Runtime.Intrinsics;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Vector constants. The JIT takes x * 1, x - 0 and the like for x, and x + NaN for that NaN, which would let a
/// signalling NaN through unquieted (core 4.3.3, NaN propagation). So it must not know those constants where they may
/// meet float arithmetic: they are read from memory there.
/// </summary>
static class VectorConstants
{
    /// <summary>A vector of zeros that the JIT does not know.</summary>
    public static readonly FieldInfo UnknownZero =
        GuestMembers.Field(typeof(GuestVectors), nameof(GuestVectors.UnknownZero));

    public static readonly MethodInfo Or = typeof(Vector128<byte>).GetMethod("op_BitwiseOr")!;

    /// <summary>Whether the JIT could leave out an operation with it: only 0, 1, −1, or a NaN somewhere.</summary>
    public static bool IsFoldable(Vector128<byte> value) =>
        HasNaN(value) || IsUnit(value.AsSingle()) || IsUnit(value.AsDouble());

    /// <summary>An operand of float arithmetic, hidden where it is such a constant.</summary>
    public static Expression Hidden(Expression operand, bool isRight, Opcode opcode)
    {
        // 0 - x and 1 / x are what they are.
        var isOneSided = opcode is Opcode.F32x4Sub or Opcode.F32x4Div or Opcode.F64x2Sub or Opcode.F64x2Div;
        return isRight || !isOneSided ? HiddenIf(operand, IsFoldable) : WithoutNaN(operand);
    }

    /// <summary>An operand hidden where it has NaNs, which the JIT would make quiet.</summary>
    public static Expression WithoutNaN(Expression operand) => HiddenIf(operand, HasNaN);

    static Expression HiddenIf(Expression operand, Predicate<Vector128<byte>> condition) =>
        operand is { Kind: ExpressionKind.Constant, Type: CilType.V128 } && condition(operand.Vector)
            ? Expression.Of(VectorOperations.Or, operand, Expression.StaticField(CilType.V128, UnknownZero))
            : operand;

    /// <summary>The result of a splat or of reading a lane when the operand is a constant; else null.</summary>
    public static Expression? Folded(Opcode opcode, Expression operand, int lane)
    {
        if (operand.Kind != ExpressionKind.Constant) return null;
        var (bits, vector) = (operand.Bits, operand.Vector);
        return opcode switch
        {
            Opcode.I8x16Splat => Expression.Constant(Vector128.Create((byte)bits)),
            Opcode.I16x8Splat => Expression.Constant(Vector128.Create((ushort)bits).AsByte()),
            Opcode.I32x4Splat or Opcode.F32x4Splat => Expression.Constant(Vector128.Create((uint)bits).AsByte()),
            Opcode.I64x2Splat or Opcode.F64x2Splat => Expression.Constant(Vector128.Create(bits).AsByte()),
            Opcode.I8x16ExtractLaneS => Number(CilType.I32, (uint)vector.AsSByte()[lane]),
            Opcode.I8x16ExtractLaneU => Number(CilType.I32, vector[lane]),
            Opcode.I16x8ExtractLaneS => Number(CilType.I32, (uint)vector.AsInt16()[lane]),
            Opcode.I16x8ExtractLaneU => Number(CilType.I32, vector.AsUInt16()[lane]),
            Opcode.I32x4ExtractLane => Number(CilType.I32, vector.AsUInt32()[lane]),
            Opcode.I64x2ExtractLane => Number(CilType.I64, vector.AsUInt64()[lane]),
            Opcode.F32x4ExtractLane => Number(CilType.F32, vector.AsUInt32()[lane]),
            Opcode.F64x2ExtractLane => Number(CilType.F64, vector.AsUInt64()[lane]),
            _ => null,
        };
    }

    static Expression Number(CilType type, ulong bits) => Expression.Constant(type, bits);

    static bool HasNaN(Vector128<byte> value) =>
        !Vector128.EqualsAll(value.AsSingle(), value.AsSingle())
        || !Vector128.EqualsAll(value.AsDouble(), value.AsDouble());

    static bool IsUnit(Vector128<float> value)
    {
        var size = Vector128.Abs(value);
        return (Vector128.Equals(size, Vector128<float>.Zero) | Vector128.Equals(size, Vector128<float>.One)).AsByte()
            == Vector128<byte>.AllBitsSet;
    }

    static bool IsUnit(Vector128<double> value)
    {
        var size = Vector128.Abs(value);
        return (Vector128.Equals(size, Vector128<double>.Zero) | Vector128.Equals(size, Vector128<double>.One)).AsByte()
            == Vector128<byte>.AllBitsSet;
    }
}
