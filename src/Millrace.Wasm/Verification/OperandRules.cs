using System.Buffers.Binary;
using System.Reflection.Metadata;

namespace Millrace.Wasm.Verification;

/// <summary>Instructions without tokens that do not change where control is.</summary>
static class OperandRules
{
    public static void Apply(MethodFrame frame, ReadOnlySpan<byte> code, ILOpCode op, int operand)
    {
        switch (op)
        {
            case >= ILOpCode.Ldarg_0 and <= ILOpCode.Ldarg_3: LoadArgument(frame, op - ILOpCode.Ldarg_0); break;
            case ILOpCode.Ldarg_s: LoadArgument(frame, code[operand]); break;
            case ILOpCode.Ldarg: LoadArgument(frame, Index(code, operand)); break;
            case >= ILOpCode.Ldloc_0 and <= ILOpCode.Ldloc_3: LoadLocal(frame, op - ILOpCode.Ldloc_0); break;
            case ILOpCode.Ldloc_s: LoadLocal(frame, code[operand]); break;
            case ILOpCode.Ldloc: LoadLocal(frame, Index(code, operand)); break;
            case >= ILOpCode.Stloc_0 and <= ILOpCode.Stloc_3: StoreLocal(frame, op - ILOpCode.Stloc_0); break;
            case ILOpCode.Stloc_s: StoreLocal(frame, code[operand]); break;
            case ILOpCode.Stloc: StoreLocal(frame, Index(code, operand)); break;
            case ILOpCode.Starg_s: StoreArgument(frame, code[operand]); break;
            case ILOpCode.Starg: StoreArgument(frame, Index(code, operand)); break;
            case ILOpCode.Ldloca_s: frame.LoadAddress(frame.ArgumentCount + code[operand]); break;
            case ILOpCode.Ldloca: frame.LoadAddress(frame.ArgumentCount + Index(code, operand)); break;
            case >= ILOpCode.Ldc_i4_m1 and <= ILOpCode.Ldc_i4_8: Constant(frame, op - ILOpCode.Ldc_i4_0); break;
            case ILOpCode.Ldc_i4_s: Constant(frame, (sbyte)code[operand]); break;
            case ILOpCode.Ldc_i4: Constant(frame, BinaryPrimitives.ReadInt32LittleEndian(code[operand..])); break;
            case ILOpCode.Ldc_i8:
                frame.Push(Kind.Int64Constant, 0, -1, BinaryPrimitives.ReadUInt64LittleEndian(code[operand..]));
                break;
            default: ApplyPlain(frame, op); break;
        }
    }

    static void ApplyPlain(MethodFrame frame, ILOpCode op)
    {
        switch (op)
        {
            case ILOpCode.Nop: break;
            case ILOpCode.Ldc_r4: frame.Push(Kind.Single); break;
            case ILOpCode.Ldc_r8: frame.Push(Kind.Double); break;
            case ILOpCode.Ldnull: frame.Push(Kind.Object, ReferenceTypes.Null); break;
            case ILOpCode.Dup:
                var top = frame.Peek();
                if (!top.IsNumber) throw new Refusal($"a copy of {top.Kind}");
                frame.Push(top);
                break;
            case ILOpCode.Pop: frame.Pop(); break;
            case >= ILOpCode.Add and <= ILOpCode.Xor: NumberRules.Binary(frame, op); break;
            case >= ILOpCode.Shl and <= ILOpCode.Shr_un: NumberRules.Shift(frame); break;
            case ILOpCode.Neg: NumberRules.Negate(frame); break;
            case ILOpCode.Ceq or ILOpCode.Cgt or ILOpCode.Cgt_un or ILOpCode.Clt or ILOpCode.Clt_un:
                NumberRules.Compare(frame, op);
                break;
            case >= ILOpCode.Ldind_i1 and <= ILOpCode.Ldind_r8: AccessRules.Load(frame, op); break;
            case >= ILOpCode.Stind_ref and <= ILOpCode.Stind_r8: AccessRules.Store(frame, op); break;
            case ILOpCode.Ldlen: AccessRules.LoadLength(frame); break;
            case ILOpCode.Ldelem_ref: AccessRules.LoadReferenceElement(frame); break;
            default: NumberRules.Convert(frame, op); break;
        }
    }

    static int Index(ReadOnlySpan<byte> code, int operand) => BinaryPrimitives.ReadUInt16LittleEndian(code[operand..]);

    static void Constant(MethodFrame frame, int value) => frame.Push(Kind.Int32Constant, 0, -1, (uint)value);

    static void LoadArgument(MethodFrame frame, int argument) => frame.Load(Argument(frame, argument));

    static void LoadLocal(MethodFrame frame, int local) => frame.Load(frame.ArgumentCount + local);

    static void StoreLocal(MethodFrame frame, int local) => frame.Store(frame.ArgumentCount + local);

    static void StoreArgument(MethodFrame frame, int argument)
    {
        if (argument >= frame.Shape.ContextArgument) throw new Refusal("an argument of the engine's is assigned");
        frame.Store(Argument(frame, argument));
    }

    static int Argument(MethodFrame frame, int argument) =>
        argument < frame.ArgumentCount ? argument : throw new Refusal("there is no such argument");
}
