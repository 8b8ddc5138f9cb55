using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>Parametric and variable instructions, table access, and references (core 3.4.2, 3.4.3, 3.4.6, 3.4.9).
/// </summary>
static class VariableRules
{
    public static void Check(FunctionState state, in InstructionReader instruction)
    {
        var index = instruction.Index;
        switch (instruction.Opcode)
        {
            case Opcode.Drop: state.Pop(); break;
            case Opcode.Select: Select(state); break;
            case Opcode.SelectTyped: TypedSelect(state, instruction.SelectTypes); break;
            case Opcode.LocalGet:
                var local = state.Local(index);
                state.CheckIsSet(index);
                state.Push(local);
                break;
            case Opcode.LocalSet:
                state.Pop(state.Local(index));
                state.SetLocal(index);
                break;
            case Opcode.LocalTee:
                state.Pop(state.Local(index));
                state.SetLocal(index);
                state.Push(state.Local(index));
                break;
            case Opcode.GlobalGet: state.Push(state.Context.Global(index).Type); break;
            case Opcode.GlobalSet: SetGlobal(state, index); break;
            case Opcode.TableGet:
                state.Pop(state.Context.Table(index).Limits.AddressType);
                state.Push(state.Context.Table(index).ElementType);
                break;
            case Opcode.TableSet:
                state.Pop([state.Context.Table(index).Limits.AddressType, state.Context.Table(index).ElementType]);
                break;
            case Opcode.MemorySize: state.Push(MemoryRules.Use(state, index).AddressType); break;
            case Opcode.MemoryGrow:
                var limits = MemoryRules.Use(state, index);
                (state.Facts.GrowsMemory, state.Facts.HasCalls) = (true, true);
                state.Pop(limits.AddressType);
                state.Push(limits.AddressType);
                break;
            default: Reference(state, instruction); break;
        }
    }

    static void Reference(FunctionState state, in InstructionReader instruction)
    {
        switch (instruction.Opcode)
        {
            case Opcode.RefNull:
                state.Context.CheckType(instruction.Reference);
                state.Push(instruction.Reference);
                break;
            case Opcode.RefIsNull:
                state.PopReference();
                state.Push(ValueType.I32);
                break;
            case Opcode.RefFunc: Function(state, instruction.Index); break;
            case Opcode.RefEq:
                state.Pop([HeapTypes.EqRef, HeapTypes.EqRef]);
                state.Push(ValueType.I32);
                break;
            case Opcode.RefAsNonNull: state.Push(state.PopReference() with { IsNullable = false }); break;
            case Opcode.BrOnNull:
                var reference = state.PopReference();
                ControlRules.Replace(state, state.Label(instruction.Index));
                state.Push(reference with { IsNullable = false });
                break;
            case Opcode.BrOnNonNull: BranchOnNonNull(state, instruction.Index); break;
            default: throw new InvalidOperationException($"no rule for {instruction.Row}");
        }
    }

    static void Select(FunctionState state)
    {
        state.Pop(ValueType.I32);
        var second = state.Pop();
        var first = state.Pop();
        if (first.Kind == ValueKind.Ref || second.Kind == ValueKind.Ref)
            throw state.Invalid("type mismatch: select without a type takes numbers and vectors only");
        var isKnown = first.Kind != ValueKind.Bottom;
        if (isKnown && second.Kind != ValueKind.Bottom && first != second)
            throw state.Invalid($"type mismatch: select between {first} and {second}");
        state.Push(isKnown ? first : second);
    }

    static void TypedSelect(FunctionState state, ReadOnlySpan<ValueType> types)
    {
        if (types.Length != 1) throw state.Invalid("invalid result arity");
        state.Context.CheckType(types[0]);
        state.Pop([types[0], types[0], ValueType.I32]);
        state.Push(types[0]);
    }

    static void SetGlobal(FunctionState state, int index)
    {
        var global = state.Context.Global(index);
        if (!global.IsMutable) throw state.Invalid($"immutable global {index}");
        state.Pop(global.Type);
    }

    static void Function(FunctionState state, int index)
    {
        var function = state.Context.Function(index);
        if (!state.IsConstant && !state.Context.IsDeclared(index))
            throw state.Invalid($"undeclared function reference {index}");
        state.Push(ValueType.Reference(function.TypeIndex, isNullable: false));
    }

    static void BranchOnNonNull(FunctionState state, int label)
    {
        var reference = state.PopReference() with { IsNullable = false };
        var types = state.Label(label);
        if (types is not [.., { Kind: ValueKind.Ref } last] || !state.Context.Types.Matches(reference, last))
        {
            throw state.Invalid($"type mismatch: label {label} takes "
                + $"{FunctionState.Show(types.AsSpan())}, not {reference} on top");
        }
        ControlRules.Replace(state, types[..^1]);
    }
}
