using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>Loads and stores, lanes, bulk operations of memories and tables (core 3.4.4, 3.4.9, 3.4.10).</summary>
static class MemoryRules
{
    /// <summary>The limits of a memory that the code uses.</summary>
    public static SizeLimits Use(FunctionState state, int memory)
    {
        var limits = state.Context.Memory(memory).Limits;
        state.Facts.UseMemory(memory);
        return limits;
    }

    public static void CheckAccess(FunctionState state, in InstructionReader instruction)
    {
        var row = instruction.Row;
        var limits = Use(state, instruction.Index);
        if (instruction.AlignmentLog2 > row.AccessLog2)
            throw state.Invalid("alignment must not be larger than natural");
        if (instruction.AlignmentLog2 != row.AccessLog2 && (int)row.Opcode >> 12 == 0xFE)
            throw state.Invalid("alignment must be equal to natural");
        if (instruction.MemoryOffset > uint.MaxValue && !limits.Is64) throw state.Invalid("offset out of range");
        if (row.Immediate == ImmediateKind.MemoryAccessLane) CheckLane(state, instruction.Lane, row.AccessLog2);
        state.Pop(limits.Is64 ? row.Parameters64 : row.Parameters);
        state.Push(row.Results);
    }

    public static void CheckLanes(FunctionState state, in InstructionReader instruction)
    {
        if (instruction.Row.Immediate == ImmediateKind.Lane)
        {
            CheckLane(state, instruction.Lane, instruction.Row.AccessLog2);
            return;
        }
        for (var i = 0; i < 16; i++)
        {
            if (instruction.Vector[i] >= 32) throw state.Invalid("invalid lane index");
        }
    }

    static void CheckLane(FunctionState state, byte lane, int laneLog2)
    {
        if (lane >= 16 >> laneLog2) throw state.Invalid("invalid lane index");
    }

    public static void CheckBulk(FunctionState state, in InstructionReader instruction)
    {
        var (index, second) = (instruction.Index, instruction.SecondIndex);
        switch (instruction.Opcode)
        {
            case Opcode.MemoryInit:
                var target = Use(state, second);
                state.Context.CheckData(index);
                state.Pop([target.AddressType, ValueType.I32, ValueType.I32]);
                break;
            case Opcode.DataDrop: state.Context.CheckData(index); break;
            case Opcode.MemoryCopy: PopCopy(state, Use(state, index), Use(state, second)); break;
            case Opcode.MemoryFill:
                var filled = Use(state, index);
                state.Pop([filled.AddressType, ValueType.I32, filled.AddressType]);
                break;
            default: CheckTable(state, instruction); break;
        }
    }

    static void CheckTable(FunctionState state, in InstructionReader instruction)
    {
        var (index, second) = (instruction.Index, instruction.SecondIndex);
        switch (instruction.Opcode)
        {
            case Opcode.TableInit: InitTable(state, state.Context.Table(second), state.Context.Element(index)); break;
            case Opcode.ElemDrop: state.Context.Element(index); break;
            case Opcode.TableCopy: CopyTable(state, state.Context.Table(index), state.Context.Table(second)); break;
            case Opcode.TableGrow:
                var grown = state.Context.Table(index);
                state.Pop([grown.ElementType, grown.Limits.AddressType]);
                state.Push(grown.Limits.AddressType);
                break;
            case Opcode.TableSize: state.Push(state.Context.Table(index).Limits.AddressType); break;
            case Opcode.TableFill:
                var filled = state.Context.Table(index);
                state.Pop([filled.Limits.AddressType, filled.ElementType, filled.Limits.AddressType]);
                break;
            default: throw new InvalidOperationException($"no rule for {instruction.Row}");
        }
    }

    static void InitTable(FunctionState state, TableDefinition table, ElementSegment segment)
    {
        if (!state.Context.Types.Matches(segment.Type, table.ElementType))
            throw state.Invalid($"type mismatch: table holds {table.ElementType}, elem segment {segment.Type}");
        state.Pop([table.Limits.AddressType, ValueType.I32, ValueType.I32]);
    }

    static void CopyTable(FunctionState state, TableDefinition target, TableDefinition source)
    {
        if (!state.Context.Types.Matches(source.ElementType, target.ElementType))
            throw state.Invalid($"type mismatch: table holds {target.ElementType}, source {source.ElementType}");
        PopCopy(state, target.Limits, source.Limits);
    }

    // The length fits the smaller address type of the two.
    static void PopCopy(FunctionState state, SizeLimits target, SizeLimits source)
    {
        var length = target.Is64 && source.Is64 ? ValueType.I64 : ValueType.I32;
        state.Pop([target.AddressType, source.AddressType, length]);
    }
}
