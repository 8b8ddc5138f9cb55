using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Millrace.Wasm.Binary;

/// <summary>A block type before its type index is looked up.</summary>
/// <param name="TypeIndex">A function type, or −1 for the short forms.</param>
/// <param name="Result">Short form with one result: its type; without: <see cref="ValueKind.Bottom"/>.</param>
readonly record struct BlockType(long TypeIndex, ValueType Result);

/// <summary>Which exceptions a catch clause takes, and whether it passes the exception reference on.</summary>
enum CatchKind : byte
{
    /// <summary><c>catch</c></summary>
    Tag,
    /// <summary><c>catch_ref</c></summary>
    TagAndReference,
    /// <summary><c>catch_all</c></summary>
    All,
    /// <summary><c>catch_all_ref</c></summary>
    AllAndReference,
}

/// <summary>A clause of <c>try_table</c>.</summary>
readonly record struct CatchClause(CatchKind Kind, int TagIndex, int Label);

/// <summary>
/// Walks the instructions of a function body or constant expression.
/// <code>
/// var reader = new InstructionReader(module.Bytes.Span, function.Body);
/// while (reader.Read())
///     switch (reader.Opcode) { case Opcode.I32Const: Push(reader.I32); break; … }
/// </code>
/// <see cref="ImmediateKind"/> tells which properties an instruction fills; the others hold values of earlier
/// instructions. After validation every index is in range and every <c>end</c> has its block: the body's last
/// instruction is the <c>end</c> of the function itself. Spans are valid until the next <see cref="Read"/>; their
/// buffers are reused, so walking does not allocate once the longest label table was seen.
/// </summary>
ref struct InstructionReader
{
    ByteReader _bytes;
    int[] _labels = [];
    int _labelCount;
    CatchClause[] _catches = [];
    int _catchCount;
    ValueType[] _selectTypes = [];
    int _selectCount;

    public InstructionReader(ReadOnlySpan<byte> module, CodeRange range) =>
        _bytes = new ByteReader(module, range.Start, range.End);

    /// <summary>Offset of the instruction's first byte in the module.</summary>
    public int Offset { get; private set; }

    /// <summary>Offset behind the instruction.</summary>
    public readonly int Position => _bytes.Position;

    /// <summary>The instruction's table row.</summary>
    public Instruction Row { get; private set; } = null!;

    /// <summary>The instruction.</summary>
    public readonly Opcode Opcode => Row.Opcode;

    /// <summary>First index; see <see cref="ImmediateKind"/>.</summary>
    public int Index { get; private set; }

    /// <summary>Second index; see <see cref="ImmediateKind"/>.</summary>
    public int SecondIndex { get; private set; }

    /// <summary>Bits of a scalar constant.</summary>
    public ulong Bits { get; private set; }

    /// <summary>Constant of <c>i32.const</c>.</summary>
    public readonly int I32 => (int)Bits;

    /// <summary>Constant of <c>i64.const</c>.</summary>
    public readonly long I64 => (long)Bits;

    /// <summary>Constant of <c>v128.const</c>, or the lanes of a shuffle.</summary>
    public Vector128<byte> Vector { get; private set; }

    /// <summary>log2 of the alignment promised by a memory access.</summary>
    public int AlignmentLog2 { get; private set; }

    /// <summary>Constant added to a memory access's address.</summary>
    public ulong MemoryOffset { get; private set; }

    /// <summary>Lane index.</summary>
    public byte Lane { get; private set; }

    /// <summary>Block type.</summary>
    public BlockType Block { get; private set; }

    /// <summary>Heap type of <c>ref.null</c>, <c>ref.test</c>, <c>ref.cast</c>; target of a cast branch.</summary>
    public ValueType Reference { get; private set; }

    /// <summary>Source type of a cast branch.</summary>
    public ValueType CastFrom { get; private set; }

    /// <summary>Labels of <c>br_table</c>, the default one last.</summary>
    public readonly ReadOnlySpan<int> Labels => _labels.AsSpan(0, _labelCount);

    /// <summary>Clauses of <c>try_table</c>.</summary>
    public readonly ReadOnlySpan<CatchClause> Catches => _catches.AsSpan(0, _catchCount);

    /// <summary>Types of a typed <c>select</c>; after validation exactly one.</summary>
    public readonly ReadOnlySpan<ValueType> SelectTypes => _selectTypes.AsSpan(0, _selectCount);

    /// <summary>Reads one instruction; false at the end.</summary>
    public bool Read()
    {
        if (_bytes.AtEnd) return false;
        Offset = _bytes.Position;
        var code = _bytes.Byte();
        Row = code < 0xFB ? Instructions.Find(0, code) ?? throw Illegal(code) : Prefixed(code);
        if (Row.Immediate != ImmediateKind.Nothing) ReadImmediates(Row.Immediate);
        return true;
    }

    Instruction Prefixed(byte prefix)
    {
        if (prefix == 0xFF) throw Illegal(prefix);
        var number = _bytes.U32();
        return Instructions.Find(prefix, number)
            ?? throw new MalformedException($"illegal opcode {prefix:x2} {number:x2}", Offset);
    }

    readonly MalformedException Illegal(byte code) => new($"illegal opcode {code:x2}", Offset);

    void ReadImmediates(ImmediateKind kind)
    {
        switch (kind)
        {
            case ImmediateKind.LabelIndex or ImmediateKind.FunctionIndex or ImmediateKind.TypeIndex:
            case ImmediateKind.LocalIndex or ImmediateKind.GlobalIndex or ImmediateKind.TableIndex:
            case ImmediateKind.MemoryIndex or ImmediateKind.TagIndex:
            case ImmediateKind.DataIndex or ImmediateKind.ElementIndex:
                Index = _bytes.Index();
                break;
            case ImmediateKind.CallIndirect or ImmediateKind.MemoryInit or ImmediateKind.MemoryCopy:
            case ImmediateKind.TableInit or ImmediateKind.TableCopy or ImmediateKind.StructField:
            case ImmediateKind.TypeAndCount or ImmediateKind.TypeAndData:
            case ImmediateKind.TypeAndElement or ImmediateKind.TypeAndType:
                Index = _bytes.Index();
                SecondIndex = _bytes.Index();
                break;
            case ImmediateKind.I32: Bits = (uint)_bytes.S32(); break;
            case ImmediateKind.I64: Bits = (ulong)_bytes.S64(); break;
            case ImmediateKind.F32: Bits = _bytes.Fixed32(); break;
            case ImmediateKind.F64: Bits = _bytes.Fixed64(); break;
            case ImmediateKind.V128 or ImmediateKind.Shuffle: Vector = Vector128.Create(_bytes.Bytes(16)); break;
            case ImmediateKind.MemoryAccess: ReadMemoryAccess(); break;
            case ImmediateKind.MemoryAccessLane:
                ReadMemoryAccess();
                Lane = _bytes.Byte();
                break;
            case ImmediateKind.Lane: Lane = _bytes.Byte(); break;
            case ImmediateKind.Block: Block = ReadBlockType(); break;
            case ImmediateKind.TryBlock:
                Block = ReadBlockType();
                ReadCatches();
                break;
            case ImmediateKind.LabelTable: ReadLabels(); break;
            case ImmediateKind.HeapType: ReadHeapType(); break;
            case ImmediateKind.SelectTypes: ReadSelectTypes(); break;
            case ImmediateKind.CastBranch: ReadCastBranch(); break;
            case ImmediateKind.Fence:
                if (_bytes.Byte() != 0) throw new MalformedException("zero byte expected", _bytes.Position - 1);
                break;
            default: throw new InvalidOperationException($"no reader for {kind}");
        }
    }

    void ReadMemoryAccess()
    {
        var at = _bytes.Position;
        var flags = _bytes.U32();
        if (flags >= 0x80) throw new MalformedException("malformed memop flags", at);
        AlignmentLog2 = (int)(flags & 0x3F);
        Index = (flags & 0x40) != 0 ? _bytes.Index() : 0;
        MemoryOffset = _bytes.U64();
    }

    BlockType ReadBlockType()
    {
        switch (_bytes.Peek())
        {
            case 0x40:
                _bytes.Byte();
                return new BlockType(-1, default);
            case < 0x40 or >= 0x80: // a positive number: its first byte has the sign bit clear, or more bytes follow
                var at = _bytes.Position;
                var index = _bytes.S33();
                return index >= 0
                    ? new BlockType(index, default)
                    : throw new MalformedException("malformed block type", at);
            default:
                return new BlockType(-1, _bytes.ValueType());
        }
    }

    void ReadLabels()
    {
        var count = _bytes.Count(Limits.BranchTable, "branch table entries");
        Fit(ref _labels, count + 1);
        for (var i = 0; i <= count; i++) _labels[i] = _bytes.Index();
        _labelCount = count + 1;
    }

    void ReadCatches()
    {
        var count = _bytes.Count(Limits.CatchClauses, "catch clauses");
        Fit(ref _catches, count);
        for (var i = 0; i < count; i++)
        {
            var at = _bytes.Position;
            var kind = _bytes.Byte();
            if (kind > 3) throw new MalformedException("malformed catch clause", at);
            var tag = kind < 2 ? _bytes.Index() : -1;
            _catches[i] = new CatchClause((CatchKind)kind, tag, _bytes.Index());
        }
        _catchCount = count;
    }

    void ReadSelectTypes()
    {
        var count = _bytes.Count(Limits.Results, "select types");
        Fit(ref _selectTypes, count);
        for (var i = 0; i < count; i++) _selectTypes[i] = _bytes.ValueType();
        _selectCount = count;
    }

    void ReadHeapType() =>
        Reference = _bytes.HeapType(Opcode is Opcode.RefNull or Opcode.RefTestNull or Opcode.RefCastNull);

    void ReadCastBranch()
    {
        var at = _bytes.Position;
        var flags = _bytes.Byte();
        if (flags > 3) throw new MalformedException("malformed br_on_cast flags", at);
        Index = _bytes.Index();
        CastFrom = _bytes.HeapType((flags & 1) != 0);
        Reference = _bytes.HeapType((flags & 2) != 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Fit<T>(ref T[] buffer, int count)
    {
        if (buffer.Length < count) Array.Resize(ref buffer, Math.Max(count, buffer.Length * 2));
    }
}
