using System.Numerics;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Text.Modules;

/// <summary>Writes an instruction's opcode and reads what follows it.</summary>
sealed class ImmediateReader(
    Cursor cursor, ModuleScope scope, TypeReader types, BinaryOutput output, IndexSpace locals, LabelStack labels)
{
    /// <summary>Whether an instruction named a data segment.</summary>
    public bool UsesDataIndex { get; private set; }

    public void Read(Instruction row)
    {
        switch (row.Immediate)
        {
            case ImmediateKind.HeapType:
                ReadReferenceInstruction(row);
                break;
            case ImmediateKind.Nothing when row.Opcode == Opcode.Select && cursor.IsForm("result"):
                ReadSelect();
                break;
            case ImmediateKind.CastBranch:
                ReadCastBranch(row);
                break;
            default:
                WriteOpcode(row.Opcode);
                ReadOperands(row);
                break;
        }
    }

    void WriteOpcode(Opcode opcode)
    {
        var code = (uint)opcode;
        if (code < 0x100)
        {
            output.Byte((int)code);
            return;
        }

        output.Byte((int)(code >> 12));
        output.Unsigned(code & 0xFFF);
    }

    void ReadOperands(Instruction row)
    {
        switch (row.Immediate)
        {
            case ImmediateKind.Nothing:
                break;
            case ImmediateKind.Fence:
                output.Byte(0);
                break;
            case ImmediateKind.LabelIndex:
                output.Unsigned(labels.Read());
                break;
            case ImmediateKind.LabelTable:
                ReadLabels();
                break;
            case ImmediateKind.CallIndirect:
                var table = scope.Tables.ReadOr(cursor, 0);
                output.Unsigned(types.ReadAnonymousUse());
                output.Unsigned(table);
                break;
            case ImmediateKind.I32 or ImmediateKind.I64 or ImmediateKind.F32 or ImmediateKind.F64
                or ImmediateKind.V128:
                ReadConstant(row.Immediate);
                break;
            case ImmediateKind.MemoryAccess:
                ReadMemoryAccess(row, scope.Memories.ReadOr(cursor, 0));
                break;
            case ImmediateKind.MemoryAccessLane:
                ReadMemoryAccess(row, IsMemoryBeforeLane() ? scope.Memories.Read(cursor) : 0);
                output.Byte(ConstantReader.ReadLane(cursor));
                break;
            case ImmediateKind.Lane:
                output.Byte(ConstantReader.ReadLane(cursor));
                break;
            case ImmediateKind.Shuffle:
                ConstantReader.ReadShuffle(cursor, output);
                break;
            default:
                ReadIndices(row.Immediate);
                break;
        }
    }

    void ReadIndices(ImmediateKind kind)
    {
        switch (kind)
        {
            case ImmediateKind.FunctionIndex:
                One(scope.Functions);
                break;
            case ImmediateKind.TypeIndex:
                One(scope.Types);
                break;
            case ImmediateKind.TableIndex:
                output.Unsigned(scope.Tables.ReadOr(cursor, 0));
                break;
            case ImmediateKind.MemoryIndex:
                output.Unsigned(scope.Memories.ReadOr(cursor, 0));
                break;
            case ImmediateKind.LocalIndex:
                One(locals);
                break;
            case ImmediateKind.GlobalIndex:
                One(scope.Globals);
                break;
            case ImmediateKind.TagIndex:
                One(scope.Tags);
                break;
            case ImmediateKind.DataIndex:
                UsesDataIndex = true;
                One(scope.Datas);
                break;
            case ImmediateKind.ElementIndex:
                One(scope.Elements);
                break;
            default:
                ReadPairs(kind);
                break;
        }
    }

    void ReadPairs(ImmediateKind kind)
    {
        switch (kind)
        {
            case ImmediateKind.MemoryInit:
                UsesDataIndex = true;
                Segment(scope.Datas, scope.Memories);
                break;
            case ImmediateKind.TableInit:
                Segment(scope.Elements, scope.Tables);
                break;
            case ImmediateKind.MemoryCopy:
                BothOrNone(scope.Memories);
                break;
            case ImmediateKind.TableCopy:
                BothOrNone(scope.Tables);
                break;
            case ImmediateKind.StructField:
                var type = One(scope.Types);
                One(scope.Fields.GetValueOrDefault(type) ?? new IndexSpace("field"));
                break;
            case ImmediateKind.TypeAndCount:
                One(scope.Types);
                output.Unsigned(cursor.Natural32());
                break;
            case ImmediateKind.TypeAndData:
                UsesDataIndex = true;
                One(scope.Types);
                One(scope.Datas);
                break;
            case ImmediateKind.TypeAndElement:
                One(scope.Types);
                One(scope.Elements);
                break;
            case ImmediateKind.TypeAndType:
                One(scope.Types);
                One(scope.Types);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, null);
        }
    }

    uint One(IndexSpace space)
    {
        var index = space.Read(cursor);
        output.Unsigned(index);
        return index;
    }

    /// <summary><c>x? segment</c>: the memory or table stands first in the text and last in the binary.</summary>
    void Segment(IndexSpace segments, IndexSpace targets)
    {
        var isPair = IndexSpace.IsIndex(cursor) && cursor.Next.Kind is TokenKind.Natural or TokenKind.Id;
        var target = isPair ? targets.Read(cursor) : 0;
        One(segments);
        output.Unsigned(target);
    }

    void BothOrNone(IndexSpace space)
    {
        if (IndexSpace.IsIndex(cursor))
        {
            One(space);
            One(space);
        }
        else
        {
            output.Byte(0);
            output.Byte(0);
        }
    }

    void ReadLabels()
    {
        var start = output.Length;
        var count = 0u;
        do
        {
            output.Unsigned(labels.Read());
            count++;
        }
        while (IndexSpace.IsIndex(cursor));
        var bytes = output.CutFrom(start);
        output.Unsigned(count - 1);
        output.Bytes(bytes);
    }

    /// <summary>Reads the catch clauses of <c>try_table</c>; their labels are those around it.</summary>
    public void ReadCatches()
    {
        var start = output.Length;
        var count = 0u;
        for (; TryReadCatch(); count++) cursor.Close();
        var bytes = output.CutFrom(start);
        output.Unsigned(count);
        output.Bytes(bytes);
    }

    bool TryReadCatch()
    {
        if (cursor.TryOpen("catch")) output.Byte(0);
        else if (cursor.TryOpen("catch_ref")) output.Byte(1);
        else if (cursor.TryOpen("catch_all")) return CatchAll(2);
        else if (cursor.TryOpen("catch_all_ref")) return CatchAll(3);
        else return false;
        One(scope.Tags);
        output.Unsigned(labels.Read());
        return true;
    }

    bool CatchAll(int code)
    {
        output.Byte(code);
        output.Unsigned(labels.Read());
        return true;
    }

    void ReadSelect()
    {
        WriteOpcode(Opcode.SelectTyped);
        var results = new List<ValueType>();
        while (cursor.TryOpen("result"))
        {
            while (cursor.Kind != TokenKind.Close) results.Add(types.ReadValueType());
            cursor.Close();
        }

        TypeCode.WriteAll(output, results.ToArray());
    }

    void ReadReferenceInstruction(Instruction row)
    {
        if (row.Opcode == Opcode.RefNull)
        {
            WriteOpcode(row.Opcode);
            TypeCode.WriteHeap(output, types.ReadHeap(isNullable: true));
            return;
        }

        // The nullable form of a cast or test is the next opcode.
        var type = types.ReadReference();
        WriteOpcode(type.IsNullable ? row.Opcode + 1 : row.Opcode);
        TypeCode.WriteHeap(output, type);
    }

    void ReadCastBranch(Instruction row)
    {
        WriteOpcode(row.Opcode);
        var label = labels.Read();
        var from = types.ReadReference();
        var to = types.ReadReference();
        output.Byte((from.IsNullable ? 1 : 0) | (to.IsNullable ? 2 : 0));
        output.Unsigned(label);
        TypeCode.WriteHeap(output, from);
        TypeCode.WriteHeap(output, to);
    }

    void ReadConstant(ImmediateKind kind)
    {
        switch (kind)
        {
            case ImmediateKind.I32:
                output.Signed((int)ConstantReader.ReadInteger(cursor, 32));
                break;
            case ImmediateKind.I64:
                output.Signed((long)ConstantReader.ReadInteger(cursor, 64));
                break;
            case ImmediateKind.F32:
                output.Fixed32(ConstantReader.ReadFloat32(cursor));
                break;
            case ImmediateKind.F64:
                output.Fixed64(ConstantReader.ReadFloat64(cursor));
                break;
            default:
                ConstantReader.ReadVector(cursor, output);
                break;
        }
    }

    /// <summary>A number before a lane is a memory only where something of the access follows it.</summary>
    bool IsMemoryBeforeLane() =>
        cursor.Kind == TokenKind.Id
        || (cursor.Kind == TokenKind.Natural
            && (cursor.Next.Kind == TokenKind.Natural || Keywords.IsMemoryArgument(cursor.SpanOf(cursor.Next))));

    void ReadMemoryAccess(Instruction row, uint memory)
    {
        var offset = ReadArgument("offset=") ?? 0;
        var place = cursor.Position;
        var alignment = ReadArgument("align=") ?? 1ul << row.AccessLog2;
        if (!BitOperations.IsPow2(alignment))
        {
            cursor.Position = place;
            throw cursor.Error("alignment must be a power of two");
        }

        // Bit 6 says that a memory index follows.
        output.Unsigned((uint)BitOperations.Log2(alignment) | (memory == 0 ? 0u : 0x40));
        if (memory != 0) output.Unsigned(memory);
        output.Unsigned(offset);
    }

    ulong? ReadArgument(string prefix)
    {
        if (cursor.Kind != TokenKind.Keyword || !cursor.Span.StartsWith(prefix)) return null;
        if (!Keywords.IsMemoryArgument(cursor.Span)) throw cursor.Unexpected();
        if (!NumberText.TryNatural(cursor.Span[prefix.Length..], out var value))
            throw cursor.Error("constant out of range");
        cursor.Position++;
        return value;
    }
}
