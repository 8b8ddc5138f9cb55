using System.Reflection.Metadata;

namespace Millrace.Wasm.Verification;

/// <summary>
/// Jumps on conditions, and what is known where one is taken or not: here alone an address becomes a checked one, a
/// function one of a type, and a reference one of a type.
/// </summary>
static class JumpRules
{
    /// <summary>A jump's condition.</summary>
    public readonly record struct Condition(ILOpCode Op, Operand Left, Operand Right);

    public static Condition Pop(MethodFrame frame, ILOpCode op)
    {
        switch (op)
        {
            case ILOpCode.Br: return new(op, default, default);
            case ILOpCode.Brtrue or ILOpCode.Brfalse:
                var tested = frame.Pop();
                if (!tested.IsInt32 && !tested.IsInt64 && tested.Kind != Kind.Object) throw new Refusal($"a jump on {tested.Kind}");
                return new(op, tested, default);
            default:
                var right = frame.Pop();
                var left = frame.Pop();
                var isStackCheck = op == ILOpCode.Blt_un && left.Kind == Kind.StackAddress
                    && right.Kind == Kind.StackLimit;
                if (!isStackCheck) NumberRules.CheckComparable(right, left, op is ILOpCode.Beq or ILOpCode.Bne_un);
                return new(op, left, right);
        }
    }

    public static bool NarrowsTaken(Condition condition) => (condition.Op, condition.Left.Kind) is
        (ILOpCode.Brtrue, Kind.CastTest) or (_, Kind.TagTest) or (ILOpCode.Beq, Kind.SignatureNumber);

    public static void NarrowTaken(MethodFrame frame, Condition condition)
    {
        var (op, left, right) = condition;
        switch (left.Kind)
        {
            case Kind.CastTest: frame.Narrow(left.Slot, left.Of); break;
            case Kind.TagTest: NarrowTag(frame, left, op == ILOpCode.Brtrue); break;
            case Kind.SignatureNumber: NarrowFunction(frame, left, right); break;
        }
    }

    public static void NarrowOther(MethodFrame frame, Condition condition)
    {
        var (op, left, right) = condition;
        switch (op, left.Kind)
        {
            case (ILOpCode.Brfalse, Kind.CastTest): frame.Narrow(left.Slot, left.Of); break;
            case (ILOpCode.Brtrue or ILOpCode.Brfalse, Kind.TagTest):
                NarrowTag(frame, left, op == ILOpCode.Brfalse);
                break;
            case (ILOpCode.Bne_un, Kind.SignatureNumber): NarrowFunction(frame, left, right); break;
            case (ILOpCode.Brtrue, Kind.AlignmentTest): frame.Aligned = (left.Slot, left.Number, left.Of); break;
            case (ILOpCode.Bgt_un, _): NarrowBounds(frame, left, right); break;
        }
    }

    // Where left is not above right.
    static void NarrowBounds(MethodFrame frame, Operand left, Operand right)
    {
        switch (left.Kind, right.Kind)
        {
            // index > length - bytes: nothing is known where the difference may be negative.
            case (Kind.Extended or Kind.Int64Slot, Kind.Room):
                if (left.Slot >= 0 && right.Number <= frame.LengthMin(right.Of))
                    frame.State.AddCheck(right.Of, left.Slot, right.Number);
                break;
            case (Kind.End, Kind.Length) when left.Slot >= 0:
                frame.State.AddCheck(right.Of, left.Slot, left.Number);
                break;
            case (Kind.Int64Constant, Kind.Length):
                frame.State.AddLength(right.Of, left.Number, frame.Contract.Definition.Memories.Length);
                break;
        }
    }

    static void NarrowFunction(MethodFrame frame, Operand number, Operand wanted)
    {
        var type = ObjectRules.NumberedBy(frame, wanted);
        if (type != ReferenceTypes.Unset) frame.Narrow(number.Slot, type);
    }

    static void NarrowTag(MethodFrame frame, Operand test, bool hasTag)
    {
        if (test.Slot < 0) return;
        var known = frame.State[test.Slot];
        if (!frame.References.Is(known, ReferenceTypes.Exception)) return;
        frame.State[test.Slot] = hasTag
            ? frame.References.WithTags([test.Of])
            : frame.References.WithoutTag(known, test.Of);
    }
}
