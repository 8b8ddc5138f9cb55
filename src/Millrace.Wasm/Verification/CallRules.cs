
namespace Millrace.Wasm.Verification;

/// <summary>
/// Calls: what goes in has the types that the callee was verified or written with, above all the references; what comes
/// out is believed. A callee that may grow a memory makes its length old.
/// </summary>
static class CallRules
{
    /// <summary>Calls a function of the image, or one through its code pointer, which is popped already.</summary>
    public static void CallFunction(MethodFrame frame, FunctionType type, bool isTail, Operand? code)
    {
        Span<int> places = type.Results.Length < 64 ? stackalloc int[type.Results.Length] : new int[type.Results.Length];
        for (var i = type.Results.Length - 1; i >= 1; i--) places[i] = PopPlace(frame, i, type.Results[i], isTail);
        PopContext(frame, code);
        for (var i = type.Parameters.Length - 1; i >= 0; i--) frame.PopValue(type.Parameters[i]);
        if (isTail)
        {
            CheckTail(frame, type);
            return;
        }
        frame.ForgetRegisters();
        for (var i = 1; i < type.Results.Length; i++) frame.AssignResult(places[i], type.Results[i]);
        if (type.Results is [var first, ..]) frame.PushValue(first);
    }

    /// <summary>A call of a method that is not of the image.</summary>
    public static void Call(MethodFrame frame, Member member)
    {
        switch (member.Role)
        {
            case MemberRole.Pure or MemberRole.Checked or MemberRole.Trap or MemberRole.TrapAtSite
                or MemberRole.TrapAtStackLimit:
                PopAll(frame, member);
                frame.PushNumber(member.Result);
                break;
            case MemberRole.GrowMemory:
                PopAll(frame, member);
                frame.ForgetRegisters();
                frame.PushNumber(member.Result);
                break;
            case MemberRole.Atomic: CallAtomic(frame, member); break;
            case >= MemberRole.TableGet and <= MemberRole.FunctionReference: TableRules.Call(frame, member); break;
            case >= MemberRole.ArrayNew and <= MemberRole.FunctionHasType: ObjectRules.Call(frame, member); break;
            case >= MemberRole.MakeException and <= MemberRole.WriteValue: ValueRules.Call(frame, member); break;
            default: throw new Refusal($"a call of {member.Name}");
        }
    }

    static void PopAll(MethodFrame frame, Member member)
    {
        for (var i = member.Parameters.Length - 1; i >= 0; i--)
        {
            if (member.Parameters[i].Kind == SlotKind.Context) frame.Pop(Kind.Context);
            else frame.PopNumber(member.Parameters[i]);
        }
    }

    static void CallAtomic(MethodFrame frame, Member member)
    {
        for (var i = member.Parameters.Length - 1; i >= 1; i--) frame.PopNumber(member.Parameters[i]);
        var address = frame.Pop();
        AccessRules.CheckAddress(frame, address, member.Detail);
        AccessRules.CheckAlignment(frame, address, member.Detail);
        frame.PushNumber(member.Result);
    }

    static int PopPlace(MethodFrame frame, int result, ValueType type, bool isTail)
    {
        var place = frame.Pop();
        if (!isTail) return place.Kind == Kind.LocalAddress ? place.Slot : throw new Refusal($"{place.Kind} as a result's place");
        var results = frame.Shape.Type.Results;
        if (place.Kind != Kind.ResultAddress || place.Of != result || result >= results.Length
            || !Fits(frame, type, results[result]))
        {
            throw new Refusal("a tail call whose results go elsewhere");
        }
        return -1;
    }

    // Nothing of this method's own frame may be left to the callee.
    static void CheckTail(MethodFrame frame, FunctionType type)
    {
        var results = frame.Shape.Type.Results;
        if (frame.Depth != 0 || frame.Shape.Kind != MethodKind.Function || type.Results.Length != results.Length
            || (results.Length != 0 && !Fits(frame, type.Results[0], results[0])))
        {
            throw new Refusal("a tail call that is none");
        }
    }

    static bool Fits(MethodFrame frame, ValueType type, ValueType wanted) =>
        SlotType.From(type) == SlotType.From(wanted)
        && (type.Kind != ValueKind.Ref || frame.References.Is(frame.References.Of(type), frame.References.Of(wanted)));

    // The callee's own; of a function that is reached through its object, the one that the same object tells.
    static void PopContext(MethodFrame frame, Operand? code)
    {
        var context = frame.Pop();
        var isFine = code is { } pointer
            ? context.Kind == Kind.FunctionContext && pointer.Slot >= 0 && context.Slot == pointer.Slot
            : context.Kind == Kind.Context;
        if (!isFine) throw new Refusal($"{context.Kind} as a callee's context");
    }
}
