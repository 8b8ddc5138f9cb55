using System.Collections.Immutable;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>Blocks, branches, calls and exceptions (core 3.4.11).</summary>
static class ControlRules
{
    public static void Check(FunctionState state, in InstructionReader instruction)
    {
        switch (instruction.Opcode)
        {
            case Opcode.Unreachable: state.SetUnreachable(); break;
            case Opcode.Block or Opcode.Loop or Opcode.If or Opcode.TryTable: Open(state, instruction); break;
            case Opcode.Else: Else(state); break;
            case Opcode.End: End(state); break;
            case Opcode.Br:
                state.Pop(state.Label(instruction.Index));
                state.SetUnreachable();
                break;
            case Opcode.BrIf:
                state.Pop(ValueType.I32);
                Replace(state, state.Label(instruction.Index));
                break;
            case Opcode.BrTable: BranchTable(state, instruction.Labels); break;
            case Opcode.Return:
                state.Pop(state.Results);
                state.SetUnreachable();
                break;
            case Opcode.Throw:
                state.Pop(state.Context.Tag(instruction.Index));
                state.SetUnreachable();
                break;
            case Opcode.ThrowRef:
                state.Pop(HeapTypes.ExnRef);
                state.SetUnreachable();
                break;
            default: Call(state, instruction); break;
        }
    }

    static void Open(FunctionState state, in InstructionReader instruction)
    {
        var type = BlockType(state, instruction.Block);
        if (instruction.Opcode == Opcode.If) state.Pop(ValueType.I32);
        if (instruction.Opcode == Opcode.Loop) state.Facts.HasLoops = true;
        state.Pop(type.Parameters);
        if (instruction.Opcode == Opcode.TryTable)
        {
            state.Facts.HasTryTables = true;
            foreach (var clause in instruction.Catches) CheckClause(state, clause);
        }
        state.Open(instruction.Opcode, type);
    }

    static FunctionType BlockType(FunctionState state, BlockType block)
    {
        if (block.TypeIndex < 0)
        {
            state.Context.CheckType(block.Result);
            return block.Result.Kind == ValueKind.Bottom ? FunctionTypes.Empty : FunctionTypes.Giving(block.Result);
        }
        return state.Context.FunctionTypeOf((int)block.TypeIndex);
    }

    // Labels of clauses count from outside the block that they belong to.
    static void CheckClause(FunctionState state, CatchClause clause)
    {
        var label = state.Label(clause.Label);
        state.Spend(label.Length);
        var given = clause.Kind is CatchKind.Tag or CatchKind.TagAndReference
            ? state.Context.Tag(clause.TagIndex)
            : ImmutableArray<ValueType>.Empty;
        if (clause.Kind is CatchKind.TagAndReference or CatchKind.AllAndReference)
            given = given.Add(ValueType.Reference(HeapKind.Exn, isNullable: false));
        if (!state.Context.Types.Matches(given.AsSpan(), label.AsSpan()))
        {
            throw state.Invalid($"type mismatch: label requires {FunctionState.Show(label.AsSpan())} but catch gives "
                + FunctionState.Show(given.AsSpan()));
        }
    }

    static void Else(FunctionState state)
    {
        var frame = state.Close();
        state.Open(Opcode.Else, frame.Type);
    }

    static void End(FunctionState state)
    {
        var frame = state.Close();
        // An `if` without `else` passes its parameters on when the condition is false.
        if (frame.Opcode == Opcode.If && !IsIdentity(state, frame.Type))
            throw state.Invalid($"type mismatch: if without else has type {frame.Type}");
        if (state.IsOpen) state.Push(frame.Type.Results);
    }

    static bool IsIdentity(FunctionState state, FunctionType type)
    {
        state.Spend(type.Results.Length);
        return state.Context.Types.Matches(type.Parameters.AsSpan(), type.Results.AsSpan());
    }

    static void BranchTable(FunctionState state, ReadOnlySpan<int> labels)
    {
        state.Pop(ValueType.I32);
        var arity = state.Label(labels[^1]).Length;
        var last = -1;
        foreach (var label in labels)
        {
            if (label == last) continue; // long runs of one label are the rule
            last = label;
            var types = state.Label(label);
            if (types.Length != arity)
                throw state.Invalid($"type mismatch: labels of br_table take {arity} and {types.Length} operands");
            state.Check(types);
        }
        state.SetUnreachable();
    }

    static void Call(FunctionState state, in InstructionReader instruction)
    {
        state.Facts.HasCalls = true;
        var isIndirect = instruction.Opcode is Opcode.CallIndirect or Opcode.ReturnCallIndirect;
        var isReference = instruction.Opcode is Opcode.CallRef or Opcode.ReturnCallRef;
        if (isIndirect) PopTableIndex(state, instruction.SecondIndex);
        var type = isIndirect || isReference
            ? state.Context.FunctionTypeOf(instruction.Index)
            : state.Context.Function(instruction.Index).Type;
        if (isReference) state.Pop(ValueType.Reference(instruction.Index, isNullable: true));
        state.Pop(type.Parameters);
        if (instruction.Opcode is Opcode.Call or Opcode.CallIndirect or Opcode.CallRef)
        {
            state.Push(type.Results);
            return;
        }
        state.Facts.HasTailCalls = true;
        state.Spend(type.Results.Length);
        if (!state.Context.Types.Matches(type.Results.AsSpan(), state.Results.AsSpan()))
        {
            throw state.Invalid("type mismatch: current function requires result type "
                + $"{FunctionState.Show(state.Results.AsSpan())} but callee returns "
                + FunctionState.Show(type.Results.AsSpan()));
        }
        state.SetUnreachable();
    }

    static void PopTableIndex(FunctionState state, int table)
    {
        var definition = state.Context.Table(table);
        if (!state.Context.Types.Matches(definition.ElementType, ValueType.FuncRef))
            throw state.Invalid($"type mismatch: table {table} holds {definition.ElementType}, not functions");
        state.Pop(definition.Limits.AddressType);
    }

    /// <summary>Takes operands and gives the label's types instead, which may say less.</summary>
    public static void Replace(FunctionState state, ImmutableArray<ValueType> types)
    {
        state.Pop(types);
        state.Push(types);
    }
}
