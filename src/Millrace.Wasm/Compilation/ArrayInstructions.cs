using System.Reflection;
using System.Reflection.Metadata;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Arrays. A single element is reached in place, with one compare that the JIT knows from its own arrays; whatever
/// makes or moves many elements is a call.
/// </summary>
sealed class ArrayInstructions(FunctionBody body, OperandStack stack, ReferenceInstructions references)
{
    static readonly FieldInfo Length = GuestMembers.Field(typeof(GuestArray), nameof(GuestArray.Length));
    static readonly FieldInfo SlotValue =
        GuestMembers.Field(typeof(ReferenceSlot), nameof(ReferenceSlot.Value));

    IlWriter Il => body.Il;
    ImageBuilder Image => body.Module.Image;

    public bool TryTranslate(ref InstructionReader reader)
    {
        var (type, second) = (reader.Index, reader.SecondIndex);
        switch (reader.Opcode)
        {
            case Opcode.ArrayNew: New(type); break;
            case Opcode.ArrayNewDefault: Make(On(nameof(GuestArrays.NewDefault), Element(type)), 1, type); break;
            case Opcode.ArrayNewFixed: NewFixed(type, second); break;
            case Opcode.ArrayNewData:
                Make(On(nameof(GuestArrays.NewFromData), Element(type)), 2, type, second);
                break;
            case Opcode.ArrayNewElem: Make(On(nameof(GuestArrays.NewFromElements)), 2, type, second); break;
            case Opcode.ArrayGet or Opcode.ArrayGetS or Opcode.ArrayGetU: Get(ref reader); break;
            case Opcode.ArraySet: Set(type); break;
            case Opcode.ArrayLen:
                stack.Push(Expression.Member(
                    ValueType.I32, references.PopNonNull(), Image.Field(Length), ILOpCode.Nop, isMutable: false));
                break;
            case Opcode.ArrayFill: Fill(type); break;
            case Opcode.ArrayCopy: Change(On(nameof(GuestArrays.Copy)), 5); break;
            case Opcode.ArrayInitData: Change(On(nameof(GuestArrays.InitData)), 4, second); break;
            case Opcode.ArrayInitElem: Change(On(nameof(GuestArrays.InitElements)), 4, second); break;
            default: return false;
        }
        return true;
    }

    FieldType Element(int type) => body.Module.Definition.Types[type].Fields[0];

    void New(int type)
    {
        var element = Element(type);
        var isReference = element.Type.Kind == ValueKind.Ref;
        Make(isReference ? On(nameof(GuestArrays.NewOfReferences)) : On(nameof(GuestArrays.New), element), 2, type);
    }

    void Fill(int type)
    {
        var element = Element(type);
        var isReference = element.Type.Kind == ValueKind.Ref;
        Change(isReference ? On(nameof(GuestArrays.FillWithReference)) : On(nameof(GuestArrays.Fill), element), 4);
    }

    void NewFixed(int type, int count)
    {
        stack.Push(Expression.Constant(CilType.I32, (uint)count));
        Make(On(nameof(GuestArrays.NewDefault), Element(type)), 1, type);
        var made = stack.Pop();
        var items = LoadItems(made.Borrowed(), Element(type));
        for (var i = 0; i < count; i++)
        {
            var value = stack.Peek(count - 1 - i);
            if (value.IsDefault) continue; // as it is already
            WriteAddress(items, Expression.Constant(CilType.I32, (uint)i), Element(type));
            WriteStore(value, Element(type));
        }
        for (var i = 0; i < count; i++) stack.Pop();
        stack.Push(made);
    }

    void Get(ref InstructionReader reader)
    {
        var element = Element(reader.Index);
        var items = PopChecked(element, out var index);
        WriteAddress(items, index, element);
        if (element.Type.Kind == ValueKind.Ref) Il.LoadField(Image.Field(SlotValue));
        else if (element.Packing != Packing.None) Il.Op(LoadPacked(reader.Opcode, element.Packing));
        else CilTypes.Of(element.Type).LoadIndirect(Il, Image);
        var got = body.Pool.Take(CilTypes.Of(element.Type));
        Il.StoreLocal(got);
        stack.Push(Expression.Temp(element.Type, got));
    }

    void Set(int type)
    {
        var value = stack.Pop();
        var items = PopChecked(Element(type), out var index);
        stack.SettleReadersOf(Reads.Objects);
        WriteAddress(items, index, Element(type));
        WriteStore(value, Element(type));
    }

    // Null and the index are checked; the elements are in a local that holds until the next instruction.
    int PopChecked(FieldType element, out Expression index)
    {
        index = stack.PopKept();
        var items = LoadItems(references.PopNonNull(), element);
        if (body.Module.Lacks(SafetyCheck.ArrayBounds)) return items;
        stack.WriteCopy(index);
        Il.LoadLocal(items);
        Il.Op(ILOpCode.Ldlen);
        Il.Op(ILOpCode.Conv_i4);
        Il.Jump(ILOpCode.Bge_un, body.Trap(TrapCode.OutOfBoundsArrayAccess));
        return items;
    }

    int LoadItems(Expression array, FieldType element)
    {
        var stored = Storage.OfElement(element);
        var field = typeof(GuestArray<>).MakeGenericType(stored).GetField(nameof(GuestArray<int>.Items))!;
        var items = body.Scratch(stored.MakeArrayType());
        stack.Write(array);
        Il.LoadField(Image.Field(field));
        Il.StoreLocal(items);
        return items;
    }

    void WriteAddress(int items, Expression index, FieldType element)
    {
        Il.LoadLocal(items);
        stack.Write(index);
        Il.LoadElementAddress(Image.TypeToken(Storage.OfElement(element)));
    }

    void WriteStore(Expression value, FieldType element)
    {
        stack.Write(value);
        if (element.Type.Kind == ValueKind.Ref) Il.StoreField(Image.Field(SlotValue));
        else if (element.Packing == Packing.I8) Il.Op(ILOpCode.Stind_i1);
        else if (element.Packing == Packing.I16) Il.Op(ILOpCode.Stind_i2);
        else CilTypes.Of(element.Type).StoreIndirect(Il, Image);
    }

    void Make(MethodInfo method, int operands, int type, params ReadOnlySpan<int> immediates)
    {
        Write(method, operands, [body.Module.Types.SlotOf(type), .. immediates]);
        var made = body.Pool.Take(CilType.Object);
        Il.StoreLocal(made);
        stack.Push(Expression.Temp(ValueType.Reference(type, isNullable: false), made));
    }

    void Change(MethodInfo method, int operands, params ReadOnlySpan<int> immediates)
    {
        stack.SettleReadersOf(Reads.Objects, except: operands);
        Write(method, operands, immediates);
    }

    // Methods that need no immediate need no instance either.
    void Write(MethodInfo method, int operands, ReadOnlySpan<int> immediates)
    {
        if (immediates.Length != 0) body.LoadContext();
        foreach (var immediate in immediates) Il.Constant(immediate);
        for (var i = operands - 1; i >= 0; i--) stack.Write(stack.Peek(i));
        for (var i = 0; i < operands; i++) stack.Pop();
        var pops = operands + immediates.Length + (immediates.Length != 0 ? 1 : 0);
        Il.Call(Image.Method(method), pops, method.ReturnType == typeof(void) ? 0 : 1);
    }

    static ILOpCode LoadPacked(Opcode opcode, Packing packing) => (opcode, packing) switch
    {
        (Opcode.ArrayGetS, Packing.I8) => ILOpCode.Ldind_i1,
        (Opcode.ArrayGetS, _) => ILOpCode.Ldind_i2,
        (_, Packing.I8) => ILOpCode.Ldind_u1,
        _ => ILOpCode.Ldind_u2,
    };

    static MethodInfo On(string name) => GuestMembers.Method(typeof(GuestArrays), name);

    static MethodInfo On(string name, FieldType element) => On(name).MakeGenericMethod(Storage.OfElement(element));
}
