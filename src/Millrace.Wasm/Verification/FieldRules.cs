using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Verification;

/// <summary>Fields: of the engine's objects only to find the way to the guest's own things, of the guest's objects as
/// their types say. No class is asked at run time, so the type of the object must be known.</summary>
static class FieldRules
{
    public static void Load(MethodFrame frame, Member member)
    {
        var of = frame.Pop();
        var isContext = of.Kind == Kind.Context;
        switch (member.Role)
        {
            case MemberRole.StackLimit when isContext: frame.Push(Kind.StackLimit); break;
            case MemberRole.InterruptRequest when isContext: frame.Push(Kind.Int32); break;
            case MemberRole.UnknownZero when isContext: frame.PushNumber(member.Result); break;
            case MemberRole.FuelCell when isContext: frame.Push(Kind.FuelCell); break;
            case MemberRole.MemoryBase when isContext && !frame.Contract.MovesMemories:
                frame.Push(Kind.MemoryBase, Existing(0, frame.Contract.Definition.Memories.Length));
                break;
            case MemberRole.Memory0 when isContext:
                frame.Push(Kind.Memory, Existing(0, frame.Contract.Definition.Memories.Length));
                break;
            case MemberRole.Table0 when isContext:
                frame.Push(Kind.Table, Existing(0, frame.Contract.Definition.Tables.Length));
                break;
            case MemberRole.Cells when isContext: frame.Push(Kind.Cells); break;
            case MemberRole.Imports when isContext: frame.Push(Kind.Imports); break;
            case MemberRole.Tables when isContext: frame.Push(Kind.Tables); break;
            case MemberRole.Memories when isContext: frame.Push(Kind.Memories); break;
            case MemberRole.Globals when isContext: frame.Push(Kind.Globals); break;
            case MemberRole.BaseOfMemory when of.Kind == Kind.Memory: frame.Push(Kind.MemoryBase, of.Of); break;
            case MemberRole.LengthOfMemory when of.Kind == Kind.Memory: frame.Push(Kind.Length, of.Of); break;
            case MemberRole.Elements when of.Kind == Kind.Table: frame.Push(Kind.Elements, of.Of); break;
            case MemberRole.LengthOfTable when of.Kind == Kind.Table: frame.Push(Kind.Int32); break;
            case MemberRole.ReferenceOfGlobal when of.Kind == Kind.Global:
                frame.Push(Kind.Object, frame.References.Of(GlobalType(frame, of.Of).Type));
                break;
            case MemberRole.SlotValue when of.Kind == Kind.ElementAddress: LoadSlot(frame, of.Of); break;
            default: LoadOfObject(frame, member, of); break;
        }
    }

    public static void Store(MethodFrame frame, Member member)
    {
        var value = frame.Pop();
        var of = frame.Pop();
        frame.Push(value);
        switch (member.Role)
        {
            case MemberRole.ReferenceOfGlobal when of.Kind == Kind.Global:
                var global = GlobalType(frame, of.Of);
                if (!global.IsMutable) throw new Refusal("a store to what cannot be set");
                frame.PopObject(frame.References.Of(global.Type));
                break;
            case MemberRole.SlotValue when of is { Kind: Kind.ElementAddress, Of: ReferenceTypes.Null }:
                frame.Pop(Kind.Object);
                break;
            case MemberRole.SlotValue when of.Kind == Kind.ElementAddress:
                var element = AccessRules.ElementOf(frame, of.Of);
                AccessRules.CheckMutable(of.Of, element);
                if (element.Type.Kind != ValueKind.Ref) throw new Refusal("an element is written as another type");
                frame.PopObject(frame.References.Of(element.Type));
                break;
            case MemberRole.FieldOfStruct when of.Kind == Kind.Object: StoreField(frame, member, of); break;
            default: throw new Refusal($"a store to {member.Name} of {of.Kind}");
        }
    }

    static int Existing(int index, int count) =>
        index < count ? index : throw new Refusal("the module has no such memory or table");

    static GlobalDefinition GlobalType(MethodFrame frame, int global)
    {
        var definition = frame.Contract.Definition.Globals[global];
        return definition.Type.Kind == ValueKind.Ref ? definition : throw new Refusal("a number where a reference must be");
    }

    static void LoadSlot(MethodFrame frame, int type)
    {
        if (type == ReferenceTypes.Null)
        {
            frame.Push(Kind.Object, ReferenceTypes.Null);
            return;
        }
        var element = AccessRules.ElementOf(frame, type);
        if (element.Type.Kind != ValueKind.Ref) throw new Refusal("an element is read as another type");
        frame.Push(Kind.Object, frame.References.Of(element.Type));
    }

    static void LoadOfObject(MethodFrame frame, Member member, Operand of)
    {
        if (of.Kind != Kind.Object) throw new Refusal($"{member.Name} of {of.Kind}");
        switch (member.Role)
        {
            case MemberRole.SignatureNumber:
                Need(frame, of, ReferenceTypes.Function);
                frame.Push(Kind.SignatureNumber, 0, of.Slot);
                break;
            case MemberRole.Code:
                Need(frame, of, ReferenceTypes.Function);
                frame.Push(Kind.FunctionCode, of.Of, of.Slot);
                break;
            case MemberRole.ContextOfFunction:
                Need(frame, of, ReferenceTypes.Function);
                frame.Push(Kind.FunctionContext, of.Of, of.Slot);
                break;
            case MemberRole.LengthOfArray:
                Need(frame, of, ReferenceTypes.Array);
                frame.Push(Kind.Int32);
                break;
            case MemberRole.NumberOfI31:
                Need(frame, of, ReferenceTypes.I31);
                frame.Push(Kind.Int32);
                break;
            case MemberRole.Items:
                if (of.Of != ReferenceTypes.Null
                    && (int)ClassRules.StoredAs(AccessRules.ElementOf(frame, of.Of)) != member.Result.Of)
                {
                    throw new Refusal("the elements of another kind of array");
                }
                frame.Push(Kind.Items, of.Of);
                break;
            case MemberRole.FieldOfStruct:
                Need(frame, of, frame.References.Defined(member.Of));
                frame.PushValue(FieldOf(frame, member, of.Of).Type);
                break;
            default: throw new Refusal($"{member.Name} of an object");
        }
    }

    // What cannot be set may hold more in a subtype than its supertype says: only who makes an object knows.
    static void StoreField(MethodFrame frame, Member member, Operand of)
    {
        Need(frame, of, frame.References.Defined(member.Of));
        var field = FieldOf(frame, member, of.Of);
        if (!field.IsMutable && !ReferenceTypes.IsExact(of.Of)) throw new Refusal("a store to what cannot be set");
        frame.PopValue(field.Type);
    }

    // As the object's own type has it, which may know more than the class that the field is in.
    static FieldType FieldOf(MethodFrame frame, Member member, int type) =>
        (ReferenceTypes.IsDefined(type)
            ? frame.References.DefinitionOf(type)
            : frame.Contract.Definition.Types[member.Of]).Fields[member.Detail];

    static void Need(MethodFrame frame, Operand of, int type)
    {
        if (!frame.References.Is(of.Of, type))
            frame.Contract.Refuse(ProofRule.Fields, "a field of an object that is not known to have it");
    }
}
