using System.Collections.Immutable;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>Structs, arrays, casts and the conversions between reference hierarchies (core 3.4.7, 3.4.8).</summary>
static class AggregateRules
{
    public static void Check(FunctionState state, in InstructionReader instruction)
    {
        switch (instruction.Opcode)
        {
            case Opcode.StructNew or Opcode.StructNewDefault: NewStruct(state, instruction); break;
            case Opcode.StructGet or Opcode.StructGetS or Opcode.StructGetU:
                var got = state.Context.Field(instruction.Index, instruction.SecondIndex);
                CheckPacking(state, got, isExtending: instruction.Opcode != Opcode.StructGet);
                state.Pop(Nullable(instruction.Index));
                state.Push(got.Type);
                break;
            case Opcode.StructSet:
                var set = state.Context.Field(instruction.Index, instruction.SecondIndex);
                if (!set.IsMutable) throw state.Invalid("immutable field");
                state.Pop([Nullable(instruction.Index), set.Type]);
                break;
            case Opcode.RefTest or Opcode.RefTestNull or Opcode.RefCast or Opcode.RefCastNull:
                Cast(state, instruction);
                break;
            case Opcode.BrOnCast or Opcode.BrOnCastFail: BranchOnCast(state, instruction); break;
            case Opcode.AnyConvertExtern: Convert(state, ValueType.ExternRef, HeapKind.Any); break;
            case Opcode.ExternConvertAny: Convert(state, HeapTypes.AnyRef, HeapKind.Extern); break;
            case Opcode.RefI31:
                state.Pop(ValueType.I32);
                state.Push(ValueType.Reference(HeapKind.I31, isNullable: false));
                break;
            case Opcode.I31GetS or Opcode.I31GetU:
                state.Pop(HeapTypes.I31Ref);
                state.Push(ValueType.I32);
                break;
            case Opcode.ArrayLen:
                state.Pop(HeapTypes.ArrayRef);
                state.Push(ValueType.I32);
                break;
            default: CheckArray(state, instruction); break;
        }
    }

    static void CheckArray(FunctionState state, in InstructionReader instruction)
    {
        var element = state.Context.Array(instruction.Index);
        var array = Nullable(instruction.Index);
        switch (instruction.Opcode)
        {
            case Opcode.ArrayNew or Opcode.ArrayNewDefault or Opcode.ArrayNewFixed:
            case Opcode.ArrayNewData or Opcode.ArrayNewElem:
                NewArray(state, instruction, element);
                state.Push(array with { IsNullable = false });
                break;
            case Opcode.ArrayGet or Opcode.ArrayGetS or Opcode.ArrayGetU:
                CheckPacking(state, element, isExtending: instruction.Opcode != Opcode.ArrayGet);
                state.Pop([array, ValueType.I32]);
                state.Push(element.Type);
                break;
            case Opcode.ArraySet:
                CheckMutable(state, element);
                state.Pop([array, ValueType.I32, element.Type]);
                break;
            case Opcode.ArrayFill:
                CheckMutable(state, element);
                state.Pop([array, ValueType.I32, element.Type, ValueType.I32]);
                break;
            case Opcode.ArrayCopy:
                CheckMutable(state, element);
                Copy(state, element, instruction);
                break;
            case Opcode.ArrayInitData or Opcode.ArrayInitElem:
                CheckMutable(state, element);
                CheckSegment(state, instruction, element);
                state.Pop([array, ValueType.I32, ValueType.I32, ValueType.I32]);
                break;
            default: throw new InvalidOperationException($"no rule for {instruction.Row}");
        }
    }

    static ValueType Nullable(int typeIndex) => ValueType.Reference(typeIndex, isNullable: true);

    static void NewStruct(FunctionState state, in InstructionReader instruction)
    {
        var fields = state.Context.Struct(instruction.Index).Fields;
        if (instruction.Opcode == Opcode.StructNew) state.Pop(fields.Select(field => field.Type).ToImmutableArray());
        else CheckDefaultable(state, fields);
        state.Push(ValueType.Reference(instruction.Index, isNullable: false));
    }

    static void NewArray(FunctionState state, in InstructionReader instruction, FieldType element)
    {
        switch (instruction.Opcode)
        {
            case Opcode.ArrayNew: state.Pop([element.Type, ValueType.I32]); break;
            case Opcode.ArrayNewDefault:
                CheckDefaultable(state, element);
                state.Pop(ValueType.I32);
                break;
            case Opcode.ArrayNewFixed:
                if ((uint)instruction.SecondIndex > Limits.ArrayNewFixed)
                    throw state.Invalid($"array too large: the limit of array.new_fixed is {Limits.ArrayNewFixed}");
                state.Spend(instruction.SecondIndex);
                for (var i = 0; i < instruction.SecondIndex; i++) state.Pop(element.Type);
                break;
            default:
                CheckSegment(state, instruction, element);
                state.Pop([ValueType.I32, ValueType.I32]);
                break;
        }
    }

    // The segment that fills an array: bytes for numbers and vectors, elements of a matching type for references.
    static void CheckSegment(FunctionState state, in InstructionReader instruction, FieldType element)
    {
        if (instruction.Row.Immediate == ImmediateKind.TypeAndData)
        {
            if (!element.Type.IsNumberOrVector()) throw state.Invalid("array type is not numeric or vector");
            state.Context.CheckData(instruction.SecondIndex);
            return;
        }
        var segment = state.Context.Element(instruction.SecondIndex);
        if (element.Packing != Packing.None || !state.Context.Types.Matches(segment.Type, element.Type))
            throw state.Invalid($"type mismatch: array holds {element.Type}, elem segment {segment.Type}");
    }

    static void Copy(FunctionState state, FieldType target, in InstructionReader instruction)
    {
        var source = state.Context.Array(instruction.SecondIndex);
        if (source.Packing != target.Packing || !state.Context.Types.Matches(source.Type, target.Type))
            throw state.Invalid("array types do not match");
        state.Pop([
            Nullable(instruction.Index), ValueType.I32, Nullable(instruction.SecondIndex), ValueType.I32,
            ValueType.I32,
        ]);
    }

    static void CheckPacking(FunctionState state, FieldType field, bool isExtending)
    {
        if (field.Packing != Packing.None != isExtending)
            throw state.Invalid($"type mismatch: field is {(isExtending ? "unpacked" : "packed")}");
    }

    static void CheckMutable(FunctionState state, FieldType element)
    {
        if (!element.IsMutable) throw state.Invalid("immutable array");
    }

    static void CheckDefaultable(FunctionState state, FieldType field)
    {
        if (!field.Type.IsDefaultable()) throw state.Invalid($"type mismatch: {field.Type} has no default value");
    }

    static void CheckDefaultable(FunctionState state, ImmutableArray<FieldType> fields)
    {
        state.Spend(fields.Length);
        foreach (var field in fields) CheckDefaultable(state, field);
    }

    // A cast may start from anything in the hierarchy of its target.
    static void Cast(FunctionState state, in InstructionReader instruction)
    {
        var target = instruction.Reference;
        state.Context.CheckType(target);
        state.Pop(ValueType.Reference(TopOf(state, target), isNullable: true));
        var isTest = instruction.Opcode is Opcode.RefTest or Opcode.RefTestNull;
        state.Push(isTest ? ValueType.I32 : target);
    }

    static HeapKind TopOf(FunctionState state, ValueType type) => type.Heap switch
    {
        HeapKind.Func or HeapKind.NoFunc => HeapKind.Func,
        HeapKind.Extern or HeapKind.NoExtern => HeapKind.Extern,
        HeapKind.Exn or HeapKind.NoExn => HeapKind.Exn,
        HeapKind.Defined when state.Context.Type(type.TypeIndex).Kind == CompositeKind.Function => HeapKind.Func,
        _ => HeapKind.Any,
    };

    static void BranchOnCast(FunctionState state, in InstructionReader instruction)
    {
        var (source, to) = (instruction.CastFrom, instruction.Reference);
        state.Context.CheckType(source);
        state.Context.CheckType(to);
        if (!state.Context.Types.Matches(to, source))
            throw state.Invalid($"type mismatch: {to} does not match {source}");
        // What is left when the cast fails: no null when the target would have taken it.
        var rest = source with { IsNullable = source.IsNullable && !to.IsNullable };
        var (taken, kept) = instruction.Opcode == Opcode.BrOnCast ? (to, rest) : (rest, to);
        var types = state.Label(instruction.Index);
        if (types is not [.., { Kind: ValueKind.Ref } last] || !state.Context.Types.Matches(taken, last))
        {
            throw state.Invalid($"type mismatch: label {instruction.Index} takes "
                + $"{FunctionState.Show(types.AsSpan())}, not {taken} on top");
        }
        state.Pop(source);
        ControlRules.Replace(state, types[..^1]);
        state.Push(kept);
    }

    static void Convert(FunctionState state, ValueType from, HeapKind to)
    {
        var actual = state.Pop(from);
        state.Push(ValueType.Reference(to, actual.IsNullable));
    }
}
