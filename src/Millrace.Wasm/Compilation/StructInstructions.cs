using System.Reflection;
using System.Reflection.Metadata;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm.Compilation;

/// <summary>Structs and <c>i31</c>.</summary>
sealed class StructInstructions(FunctionBody body, OperandStack stack, ReferenceInstructions references)
{
    static readonly MethodInfo NewI31 = GuestMembers.Method(typeof(GuestI31), nameof(GuestI31.New));
    static readonly FieldInfo Number = GuestMembers.Field(typeof(GuestI31), nameof(GuestI31.Number));

    IlWriter Il => body.Il;

    public bool TryTranslate(ref InstructionReader reader)
    {
        switch (reader.Opcode)
        {
            case Opcode.StructNew or Opcode.StructNewDefault: New(ref reader); return true;
            case Opcode.StructGet or Opcode.StructGetS or Opcode.StructGetU: Get(ref reader); return true;
            case Opcode.StructSet: Set(ref reader); return true;
            case Opcode.RefI31: MakeI31(); return true;
            case Opcode.I31GetS: stack.Push(NumberOf()); return true;
            case Opcode.I31GetU:
                var mask = Expression.Constant(CilType.I32, 0x7FFF_FFFF);
                stack.Push(Expression.Of(Operations.I32And, NumberOf(), mask));
                return true;
            default: return false;
        }
    }

    void New(ref InstructionReader reader)
    {
        var (module, type) = (body.Module, reader.Index);
        body.LoadContext();
        Il.Constant(module.Types.SlotOf(type));
        Il.NewObject(module.Classes.Constructor(type), 2);
        var made = body.Pool.Take(CilType.Object);
        Il.StoreLocal(made);
        var count = reader.Opcode == Opcode.StructNew ? module.Definition.Types[type].Fields.Length : 0;
        for (var i = 0; i < count; i++)
        {
            var value = stack.Peek(count - 1 - i);
            if (value.IsDefault) continue; // as it is already
            Il.LoadLocal(made);
            stack.Write(value);
            Il.StoreField(module.Classes.Field(type, i));
        }
        for (var i = 0; i < count; i++) stack.Pop();
        stack.Push(Expression.Temp(ValueType.Reference(type, isNullable: false), made));
    }

    void Get(ref InstructionReader reader)
    {
        var field = body.Module.Definition.Types[reader.Index].Fields[reader.SecondIndex];
        stack.Push(Expression.Member(
            field.Type, references.PopNonNull(), body.Module.Classes.Field(reader.Index, reader.SecondIndex),
            Storage.Extension(reader.Opcode, field.Packing), field.IsMutable));
    }

    void Set(ref InstructionReader reader)
    {
        var value = stack.Pop();
        var target = references.PopNonNull();
        stack.SettleReadersOf(Reads.Objects);
        stack.Write(target);
        stack.Write(value);
        Il.StoreField(body.Module.Classes.Field(reader.Index, reader.SecondIndex));
    }

    void MakeI31()
    {
        body.LoadContext();
        stack.Write(stack.Pop());
        Il.Call(body.Module.Image.Method(NewI31), 2, 1);
        var made = body.Pool.Take(CilType.Object);
        Il.StoreLocal(made);
        stack.Push(Expression.Temp(ValueType.Reference(HeapKind.I31, isNullable: false), made));
    }

    Expression NumberOf() => Expression.Member(
        ValueType.I32, references.PopNonNull(), body.Module.Image.Field(Number), ILOpCode.Nop, isMutable: false);
}
