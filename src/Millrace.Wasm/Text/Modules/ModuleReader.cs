namespace Millrace.Wasm.Text.Modules;

/// <summary>A module in the text format to its binary format (core specification, section 6.6).</summary>
sealed class ModuleReader
{
    readonly Cursor _cursor;
    readonly ModuleScope _scope = new();
    readonly TypeReader _types;
    readonly CustomAnnotations _annotations;
    readonly ModuleSections _sections = new();
    readonly SegmentReader _segments;
    readonly BranchHints _hints;
    int _start;

    ModuleReader(Cursor cursor)
    {
        _cursor = cursor;
        _types = new(cursor, _scope);
        _annotations = new(cursor.List, cursor.Position);
        _segments = new(cursor, _scope, _types, _sections);
        _hints = new(cursor.List);
    }

    /// <summary>Reads a text that is one module: <c>(module …)</c>, or fields alone.</summary>
    public static byte[] ReadText(TextSource source)
    {
        var cursor = new Cursor(Lexer.Read(source));
        if (!cursor.TryOpen("module"))
        {
            var fields = ReadFields(cursor, null);
            return cursor.Kind == TokenKind.End ? fields : throw cursor.Unexpected();
        }

        var bytes = ReadFields(cursor, cursor.TryId());
        cursor.Close();
        return cursor.Kind == TokenKind.End ? bytes : throw cursor.Unexpected();
    }

    /// <summary>Reads fields up to the end or to a closing parenthesis.</summary>
    public static byte[] ReadFields(Cursor cursor, string? id) => new ModuleReader(cursor).Read(id);

    byte[] Read(string? id)
    {
        _scope.ModuleName = _annotations.TryReadName(_cursor.Position, "module") ?? id;
        var (types, others) = new Survey(_cursor, _scope, _annotations).Run();
        var end = _cursor.Position;
        foreach (var position in types)
        {
            _cursor.Position = position;
            _types.ReadDefinition();
        }

        foreach (var position in others)
        {
            _cursor.Position = position;
            ReadField();
        }

        _cursor.Position = end;
        _annotations.RefuseMisplaced(end);
        _sections.BranchHints = _hints.Finish(end).ToArray();
        return _sections.Assemble(_types, _annotations, NameSection.Write(_scope));
    }

    void ReadField()
    {
        _start = _cursor.Position;
        if (_cursor.TryOpen("import")) ReadImport();
        else if (_cursor.TryOpen("export")) ReadExport();
        else if (_cursor.TryOpen("start")) _sections.Start = _scope.Functions.Read(_cursor);
        else if (_cursor.TryOpen("elem")) _segments.ReadElement();
        else if (_cursor.TryOpen("data")) _segments.ReadData();
        else if (FieldHead.TryOpenKind(_cursor, out var kind)) ReadDefinition(kind);
        else throw _cursor.Unexpected();
        _cursor.Close();
    }

    void ReadImport()
    {
        var import = (_cursor.Name(), _cursor.Name());
        FieldHead.TryOpenKind(_cursor, out var kind);
        _cursor.TryId();
        ReadImported(kind, import);
        _cursor.Close();
    }

    void ReadExport()
    {
        var name = _cursor.Name();
        if (!FieldHead.TryOpenKind(_cursor, out var kind))
        {
            if (_cursor.Kind == TokenKind.Open) _cursor.Position++;
            throw _cursor.Unexpected();
        }

        _sections.AddExport(name, kind, _scope.Of(kind).Read(_cursor));
        _cursor.Close();
    }

    void ReadImported(ExternKind kind, (string Module, string Name) import)
    {
        var type = new BinaryOutput();
        switch (kind)
        {
            case ExternKind.Function:
                type.Unsigned(_types.ReadUse().Index);
                break;
            case ExternKind.Table:
                ReadTableType(type);
                break;
            case ExternKind.Memory:
                ReadLimits(ReadIs64()).Write(type);
                break;
            case ExternKind.Global:
                ReadGlobalType(type);
                break;
            case ExternKind.Tag:
                type.Byte(0);
                type.Unsigned(_types.ReadUse().Index);
                break;
        }

        _sections.AddImport(import, kind, type.Span);
    }

    void ReadDefinition(ExternKind kind)
    {
        var head = FieldHead.Read(_cursor);
        var index = _sections.NextIndex(kind);
        foreach (var name in head.Exports) _sections.AddExport(name, kind, index);
        if (head.Import is { } import)
        {
            ReadImported(kind, import);
            return;
        }

        _sections.Define(kind);
        switch (kind)
        {
            case ExternKind.Function:
                ReadFunction(index);
                break;
            case ExternKind.Table:
                ReadTable(index);
                break;
            case ExternKind.Memory:
                ReadMemory(index);
                break;
            case ExternKind.Global:
                ReadGlobalType(_sections.Globals);
                ReadExpression(_sections.Globals);
                break;
            case ExternKind.Tag:
                _sections.Tags.Byte(0);
                _sections.Tags.Unsigned(_types.ReadUse().Index);
                break;
        }
    }

    void ReadExpression(BinaryOutput output)
    {
        var code = new CodeReader(_cursor, _scope, _types, output, new("local"));
        code.ReadExpression();
        _sections.UsesDataIndex |= code.UsesDataIndex;
    }

    void ReadFunction(uint index)
    {
        var use = _types.ReadUse();
        _sections.Functions.Unsigned(use.Index);
        var locals = new IndexSpace("local");
        foreach (var id in use.ParameterIds) locals.Add(id, _cursor);
        // A type use without its own list of parameters still takes their indices.
        locals.Skip((uint)(use.Type?.Parameters.Length ?? 0) - locals.Count);
        var body = new BinaryOutput();
        ReadLocals(locals, body);
        _hints.Enter(_start, _cursor.List.Tokens[_start].Match);
        var code = new CodeReader(_cursor, _scope, _types, body, locals, _hints);
        code.ReadExpression();
        _hints.Leave(index);
        _sections.UsesDataIndex |= code.UsesDataIndex;
        _sections.Code.Sized(body.Span);
        if (locals.Names.Count > 0) _scope.Locals[index] = locals;
    }

    void ReadLocals(IndexSpace locals, BinaryOutput body)
    {
        var runs = new List<(uint Count, ValueType Type)>();
        while (_cursor.TryOpen("local"))
        {
            var id = _cursor.TryId();
            if (id is not null) AddLocal(id);
            else while (_cursor.Kind != TokenKind.Close) AddLocal(null);
            _cursor.Close();
        }

        body.Unsigned((ulong)runs.Count);
        foreach (var (count, type) in runs)
        {
            body.Unsigned(count);
            TypeCode.Write(body, type);
        }

        void AddLocal(string? id)
        {
            locals.Add(id, _cursor);
            var type = _types.ReadValueType();
            if (runs.Count > 0 && runs[^1].Type == type) runs[^1] = (runs[^1].Count + 1, type);
            else runs.Add((1, type));
        }
    }

    bool ReadIs64() => !_cursor.TryKeyword("i32") && _cursor.TryKeyword("i64");

    Limits ReadLimits(bool is64)
    {
        if (!_cursor.TryNatural(out var minimum)) throw _cursor.Unexpected();
        ulong? maximum = _cursor.TryNatural(out var most) ? most : null;
        return new(minimum, maximum, is64, _cursor.TryKeyword("shared"));
    }

    void ReadGlobalType(BinaryOutput output)
    {
        var isMutable = _cursor.TryOpen("mut");
        TypeCode.Write(output, _types.ReadValueType());
        if (isMutable) _cursor.Close();
        output.Byte(isMutable ? 1 : 0);
    }

    void ReadTableType(BinaryOutput output)
    {
        var limits = ReadLimits(ReadIs64());
        TypeCode.Write(output, _types.ReadReference());
        limits.Write(output);
    }

    void ReadTable(uint index)
    {
        var is64 = ReadIs64();
        if (_types.IsReference)
        {
            var type = _types.ReadReference();
            var count = _segments.ReadInlineElements(index, type, is64);
            TypeCode.Write(_sections.Tables, type);
            new Limits(count, count, is64, IsShared: false).Write(_sections.Tables);
            return;
        }

        var start = _sections.Tables.Length;
        var limits = ReadLimits(is64);
        TypeCode.Write(_sections.Tables, _types.ReadReference());
        limits.Write(_sections.Tables);
        if (_cursor.Kind == TokenKind.Close) return;
        var plain = _sections.Tables.CutFrom(start);
        _sections.Tables.Bytes([0x40, 0x00]);
        _sections.Tables.Bytes(plain);
        ReadExpression(_sections.Tables);
    }

    void ReadMemory(uint index)
    {
        var is64 = ReadIs64();
        if (!_cursor.IsForm("data"))
        {
            ReadLimits(is64).Write(_sections.Memories);
            return;
        }

        var pages = _segments.ReadInlineData(index, is64);
        new Limits(pages, pages, is64, IsShared: false).Write(_sections.Memories);
    }
}
