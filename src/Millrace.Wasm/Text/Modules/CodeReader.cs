using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Text.Modules;

/// <summary>Instruction sequences, plain and folded, to bytes (core specification, section 6.5).</summary>
sealed class CodeReader
{
    /// <summary>Folded instructions inside each other; each costs stack of the reader.</summary>
    public const int NestingMax = 1000;

    readonly Cursor _cursor;
    readonly TypeReader _types;
    readonly BinaryOutput _output;
    readonly LabelStack _labels;
    readonly ImmediateReader _immediates;
    readonly BranchHints? _hints;
    int _depth;

    public CodeReader(
        Cursor cursor, ModuleScope scope, TypeReader types, BinaryOutput output, IndexSpace locals,
        BranchHints? hints = null)
    {
        (_cursor, _types, _output, _labels, _hints) = (cursor, types, output, new(cursor), hints);
        _immediates = new(cursor, scope, types, output, locals, _labels);
    }

    /// <summary>Whether an instruction named a data segment, which wants a data count section.</summary>
    public bool UsesDataIndex => _immediates.UsesDataIndex;

    /// <summary>Reads instructions up to the closing parenthesis, and ends the expression.</summary>
    public void ReadExpression()
    {
        ReadSequence();
        Emit(Opcode.End);
    }

    /// <summary>Reads one folded instruction, and ends the expression.</summary>
    public void ReadFoldedExpression()
    {
        if (_cursor.Kind != TokenKind.Open) throw _cursor.Unexpected();
        ReadFolded();
        Emit(Opcode.End);
    }

    void ReadSequence()
    {
        var floor = _labels.Count;
        while (true)
        {
            switch (_cursor.Kind)
            {
                case TokenKind.Open:
                    ReadFolded();
                    break;
                case TokenKind.Keyword when _cursor.Span is "end" or "else":
                    if (_labels.Count == floor) throw _cursor.Unexpected();
                    ReadDelimiter();
                    break;
                case TokenKind.Keyword:
                    ReadPlain();
                    break;
                default:
                    if (_labels.Count == floor && _cursor.Kind == TokenKind.Close) return;
                    throw _cursor.Unexpected();
            }
        }
    }

    void ReadDelimiter()
    {
        var isElse = _cursor.Span is "else";
        if (isElse && !_labels.TryEnterElse()) throw _cursor.Unexpected();
        _cursor.Position++;
        var place = _cursor.Position;
        if (_cursor.TryId() is { } id && id != _labels.Top)
        {
            _cursor.Position = place;
            throw _cursor.Error("mismatching label");
        }

        Emit(isElse ? Opcode.Else : Opcode.End);
        if (!isElse) _labels.Pop();
    }

    Instruction NextInstruction() => Keywords.Instruction(_cursor.Span) ?? throw _cursor.Unexpected();

    void ReadPlain()
    {
        var row = NextInstruction();
        _hints?.Attach(_hints.TryTake(_cursor.Position), row.Opcode, _output.Length);
        _cursor.Position++;
        if (IsBlock(row)) ReadBlockHead(row);
        else _immediates.Read(row);
    }

    static bool IsBlock(Instruction row) => row.Immediate is ImmediateKind.Block or ImmediateKind.TryBlock;

    void ReadBlockHead(Instruction row)
    {
        var label = _cursor.TryId();
        Emit(row.Opcode);
        _types.ReadBlockType(_output);
        if (row.Immediate == ImmediateKind.TryBlock) _immediates.ReadCatches();
        _labels.Push(label, row.Opcode == Opcode.If);
    }

    void ReadFolded()
    {
        if (++_depth > NestingMax) throw _cursor.Error("nesting too deep");
        var hint = _hints?.TryTake(_cursor.Position);
        _cursor.Position++;
        if (_cursor.Kind != TokenKind.Keyword) throw _cursor.Unexpected();
        var row = NextInstruction();
        if (row.Opcode is Opcode.Else or Opcode.End) throw _cursor.Unexpected();
        _cursor.Position++;
        if (row.Opcode == Opcode.If) ReadFoldedIf(row, hint);
        else if (IsBlock(row)) ReadFoldedBlock(row, hint);
        else ReadFoldedPlain(row, hint);
        _cursor.Close();
        _depth--;
    }

    void ReadFoldedBlock(Instruction row, byte? hint)
    {
        _hints?.Attach(hint, row.Opcode, _output.Length);
        ReadBlockHead(row);
        ReadSequence();
        Emit(Opcode.End);
        _labels.Pop();
    }

    void ReadFoldedPlain(Instruction row, byte? hint)
    {
        var start = _output.Length;
        _immediates.Read(row);
        if (_cursor.Kind == TokenKind.Open)
        {
            var code = _output.CutFrom(start);
            while (_cursor.Kind == TokenKind.Open) ReadFolded();
            start = _output.Length;
            _output.Bytes(code);
        }

        _hints?.Attach(hint, row.Opcode, start);
    }

    void ReadFoldedIf(Instruction row, byte? hint)
    {
        var start = _output.Length;
        var label = _cursor.TryId();
        Emit(row.Opcode);
        _types.ReadBlockType(_output);
        var head = _output.CutFrom(start);
        while (_cursor.Kind == TokenKind.Open && !_cursor.IsForm("then")) ReadFolded();
        _hints?.Attach(hint, row.Opcode, _output.Length);
        _output.Bytes(head);
        _labels.Push(label, isIf: false);
        _cursor.Open("then");
        ReadSequence();
        _cursor.Close();
        if (_cursor.TryOpen("else"))
        {
            Emit(Opcode.Else);
            ReadSequence();
            _cursor.Close();
        }

        Emit(Opcode.End);
        _labels.Pop();
    }

    void Emit(Opcode opcode) => _output.Byte((int)opcode);
}
