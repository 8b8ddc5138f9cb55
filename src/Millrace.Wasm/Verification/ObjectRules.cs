using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Verification;

/// <summary>Methods on the guest's objects, and casts: the only way to know more of a reference.</summary>
static class ObjectRules
{
    public static void Call(MethodFrame frame, Member member)
    {
        switch (member.Role)
        {
            case MemberRole.ArrayNew:
                frame.PopInt32();
                frame.PopNumber(member.Parameters[2]);
                PushNew(frame, element => IsStoredAs(element, member));
                break;
            case MemberRole.ArrayNewOfReferences:
                frame.PopInt32();
                var filling = frame.Pop(Kind.Object);
                PushNew(frame, element => Takes(frame, element, filling.Of));
                break;
            case MemberRole.ArrayNewDefault:
                frame.PopInt32();
                PushNew(frame, element => IsStoredAs(element, member));
                break;
            case MemberRole.ArrayNewFromData:
                for (var i = 0; i < 3; i++) frame.PopInt32();
                PushNew(frame, element => IsStoredAs(element, member) && element.Type.Kind != ValueKind.Ref);
                break;
            case MemberRole.ArrayNewFromElements:
                for (var i = 0; i < 2; i++) frame.PopInt32();
                var segment = PopSegment(frame);
                PushNew(frame, element => Takes(frame, element, segment));
                break;
            case MemberRole.NewI31:
                frame.PopInt32();
                frame.Pop(Kind.Context);
                frame.Push(Kind.Object, ReferenceTypes.I31);
                break;
            case MemberRole.Cast: Cast(frame, member); break;
            case MemberRole.IsSame:
                frame.Pop(Kind.Object);
                frame.Pop(Kind.Object);
                frame.Push(Kind.Int32);
                break;
            case MemberRole.FunctionHasType:
                frame.PopConstant();
                var type = NumberedBy(frame, frame.PopInt32());
                PushTest(frame, frame.PopObject(ReferenceTypes.Function), type);
                break;
            default: Change(frame, member); break;
        }
    }

    /// <summary>Makes a struct: of the class and with the slot of one type.</summary>
    public static void NewStruct(MethodFrame frame, Member member)
    {
        var type = PopSlot(frame);
        if (frame.References.FirstOf(type) != member.Of) throw new Refusal("an object of one type with the class of another");
        frame.Push(Kind.Object, frame.References.Exact(type));
    }

    static void Change(MethodFrame frame, Member member)
    {
        switch (member.Role)
        {
            case MemberRole.ArrayFill:
                frame.PopInt32();
                frame.PopNumber(member.Parameters[2]);
                frame.PopInt32();
                PopArray(frame, element => IsStoredAs(element, member));
                break;
            case MemberRole.ArrayFillWithReference:
                frame.PopInt32();
                var filling = frame.Pop(Kind.Object);
                frame.PopInt32();
                PopArray(frame, element => Takes(frame, element, filling.Of));
                break;
            case MemberRole.ArrayCopy:
                for (var i = 0; i < 2; i++) frame.PopInt32();
                var source = frame.PopObject(ReferenceTypes.Array);
                frame.PopInt32();
                PopArray(frame, element => IsOfSameKind(frame, element, source.Of));
                break;
            case MemberRole.ArrayInitData:
                for (var i = 0; i < 3; i++) frame.PopInt32();
                PopArray(frame, element => element.Type.Kind != ValueKind.Ref);
                frame.PopInt32();
                frame.Pop(Kind.Context);
                break;
            case MemberRole.ArrayInitElements:
                for (var i = 0; i < 3; i++) frame.PopInt32();
                var array = frame.PopObject(ReferenceTypes.Array);
                var segment = PopSegment(frame);
                frame.Pop(Kind.Context);
                frame.Push(array);
                PopArray(frame, element => Takes(frame, element, segment));
                break;
            default: throw new Refusal($"a call of {member.Name}");
        }
    }

    static int PopSegment(MethodFrame frame)
    {
        var definition = frame.Contract.Definition;
        return frame.References.Of(definition.Elements[frame.PopIndex(definition.Elements.Length)].Type);
    }

    static int PopSlot(MethodFrame frame)
    {
        var type = frame.Contract.ObjectSlots[frame.PopIndex(frame.Contract.ObjectSlots.Count)];
        frame.Pop(Kind.Context);
        return type;
    }

    static void PushNew(MethodFrame frame, Predicate<FieldType> fits)
    {
        var type = PopSlot(frame);
        var definition = frame.Contract.Definition.Types[type];
        if (definition.Kind != CompositeKind.Array || !fits(definition.Fields[0]))
            throw new Refusal("an array is made of what its type does not hold");
        frame.Push(Kind.Object, frame.References.Exact(type));
    }

    static void PopArray(MethodFrame frame, Predicate<FieldType> fits)
    {
        var array = frame.Pop(Kind.Object);
        if (array.Of == ReferenceTypes.Null) return;
        var element = AccessRules.ElementOf(frame, array.Of);
        AccessRules.CheckMutable(array.Of, element);
        if (!fits(element)) throw new Refusal("an array is filled with what its type does not hold");
    }

    static bool IsStoredAs(FieldType element, Member member) => (int)ClassRules.StoredAs(element) == member.Of;

    static bool Takes(MethodFrame frame, FieldType element, int type) =>
        element.Type.Kind == ValueKind.Ref && frame.References.Is(type, frame.References.Of(element.Type));

    static bool IsOfSameKind(MethodFrame frame, FieldType element, int source)
    {
        if (source == ReferenceTypes.Null) return true;
        var from = AccessRules.ElementOf(frame, source);
        return ClassRules.StoredAs(from) == ClassRules.StoredAs(element)
            && (element.Type.Kind != ValueKind.Ref || Takes(frame, element, frame.References.Of(from.Type)));
    }

    static void Cast(MethodFrame frame, Member member)
    {
        var key = frame.PopInt64();
        var kind = (CastKind)member.Detail;
        var (needed, target) = kind switch
        {
            CastKind.ToType => (ReferenceTypes.Top, NamedBy(frame, key)),
            CastKind.KnownToType => (ReferenceTypes.Eq, NamedBy(frame, key)),
            CastKind.FunctionToType => (ReferenceTypes.Function, NamedBy(frame, key)),
            CastKind.ToKind => (ReferenceTypes.Top, Abstract(key)),
            CastKind.KnownToKind => (ReferenceTypes.Eq, Abstract(key)),
            _ => (ReferenceTypes.Top, ReferenceTypes.Eq),
        };
        PushTest(frame, frame.PopObject(needed), target);
    }

    // A cast to what is not known tells nothing.
    static int NamedBy(MethodFrame frame, Operand key) => key.Kind switch
    {
        Kind.TypeKey => key.Of,
        Kind.Int64Constant => frame.References.Numbered((int)(uint)key.Number),
        _ => ReferenceTypes.Unset,
    };

    /// <summary>The type whose number that is.</summary>
    public static int NumberedBy(MethodFrame frame, Operand number) => number.Kind switch
    {
        Kind.TypeNumber => number.Of,
        Kind.Int32Constant => frame.References.Numbered((int)(uint)number.Number),
        _ => ReferenceTypes.Unset,
    };

    static int Abstract(Operand key) => (key.Kind == Kind.Int64Constant ? (HeapKind)(byte)key.Number : default) switch
    {
        HeapKind.Struct => ReferenceTypes.Struct,
        HeapKind.Array => ReferenceTypes.Array,
        HeapKind.I31 => ReferenceTypes.I31,
        _ => ReferenceTypes.Unset,
    };

    // A type that is none of the module's tells nothing.
    static void PushTest(MethodFrame frame, Operand tested, int type)
    {
        if (type == ReferenceTypes.Unset) frame.Push(Kind.Int32);
        else frame.Push(Kind.CastTest, type, tested.Slot);
    }
}
