using System.Collections.Immutable;

namespace Millrace.Wasm.Verification;

/// <summary>
/// Exceptions, and the values that cross between host and guest: they lie one behind the other, and nobody checks at run
/// time how many there are or of which types.
/// </summary>
static class ValueRules
{
    const int Unreachable = -4; // values of an exception that has no tag any more

    public static void Call(MethodFrame frame, Member member)
    {
        switch (member.Role)
        {
            case MemberRole.MakeException:
                var made = PopTag(frame);
                frame.Pop(Kind.Context);
                frame.Push(Kind.Object, frame.References.WithTags([made]));
                break;
            case MemberRole.FirstOfException: PushValues(frame, frame.PopObject(ReferenceTypes.Exception).Of); break;
            case MemberRole.ThrowException: frame.Pop(Kind.Object); break;
            case MemberRole.IsAny:
                frame.Pop(Kind.Context);
                PopThrown(frame);
                frame.Push(Kind.FilterAnswer, ReferenceTypes.Exception);
                break;
            case MemberRole.IsThrown:
                var caught = PopTag(frame);
                frame.Pop(Kind.Context);
                PopThrown(frame);
                frame.Push(Kind.FilterAnswer, frame.References.WithTags([caught]));
                break;
            case MemberRole.Content: frame.Push(Kind.Object, frame.Pop(Kind.Thrown).Of); break;
            case MemberRole.HasTag:
                var tag = PopTag(frame);
                frame.Pop(Kind.Context);
                frame.Push(Kind.TagTest, tag, frame.Pop(Kind.Object).Slot);
                break;
            default: CallHost(frame, member); break;
        }
    }

    static void CallHost(MethodFrame frame, Member member)
    {
        switch (member.Role)
        {
            case MemberRole.BeginHostCall:
                frame.PopObject(ReferenceTypes.Self);
                frame.Push(Kind.Values);
                break;
            case MemberRole.FirstOfValues:
                frame.Pop(Kind.Values);
                frame.Push(Kind.ValueAddress, ValueRun.ParametersAndResults);
                break;
            case MemberRole.InvokeHost or MemberRole.EndHostCall:
                frame.Pop(Kind.Values);
                frame.PopObject(ReferenceTypes.Self);
                break;
            case MemberRole.ReadValue: ReadValue(frame, member); break;
            case MemberRole.WriteValue: WriteValue(frame, member); break;
            default: throw new Refusal($"a call of {member.Name}");
        }
    }

    static int PopTag(MethodFrame frame) => frame.PopIndex(frame.Contract.Definition.Tags.Length);

    // In a filter it may have been put into a local.
    static void PopThrown(MethodFrame frame)
    {
        var thrown = frame.Pop();
        if (thrown is not ({ Kind: Kind.Thrown } or { Kind: Kind.Object, Of: ReferenceTypes.Thrown }))
            throw new Refusal($"{thrown.Kind} where what was thrown must be");
    }

    static void PushValues(MethodFrame frame, int exception)
    {
        var tags = frame.References.TagsOf(exception);
        if (exception >= 0 || tags.Length > 1) throw new Refusal("values of an exception whose tag is not known");
        frame.Push(Kind.ValueAddress, tags is [var tag] ? tag : Unreachable);
    }

    static void ReadValue(MethodFrame frame, Member member)
    {
        var index = frame.PopConstant();
        var run = frame.Pop(Kind.ValueAddress).Of;
        if (run == Unreachable)
        {
            if (member.Result == SlotType.Object) frame.Push(Kind.Object, ReferenceTypes.Null);
            else frame.PushNumber(member.Result);
            return;
        }
        var type = TypeOf(frame, run, index, member.Result);
        frame.PushValue(type);
    }

    static void WriteValue(MethodFrame frame, Member member)
    {
        var value = frame.Pop();
        var index = frame.PopConstant();
        var run = frame.Pop(Kind.ValueAddress).Of;
        frame.Push(value);
        frame.PopValue(TypeOf(frame, run, index, member.Parameters[2]));
    }

    static ValueType TypeOf(MethodFrame frame, int run, int index, SlotType accessed)
    {
        var own = frame.Shape.Type;
        ImmutableArray<ValueType> types = run switch
        {
            ValueRun.ParametersAndResults => [.. own.Parameters, .. own.Results],
            ValueRun.Parameters => own.Parameters,
            ValueRun.Results => own.Results,
            >= 0 => frame.Contract.Definition.TagType(run).Parameters,
            _ => [],
        };
        if ((uint)index >= (uint)types.Length) throw new Refusal($"value {index} of {types.Length}");
        return SlotType.From(types[index]) == accessed ? types[index] : throw new Refusal("a value as another type");
    }
}
