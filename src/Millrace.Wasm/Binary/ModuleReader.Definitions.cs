using System.Collections.Immutable;

namespace Millrace.Wasm.Binary;

/// <content>Functions, tables, memories, globals, tags, exports and segments.</content>
ref partial struct ModuleReader
{
    void ReadFunctions()
    {
        _functionTypes = new int[_bytes.Count(Limits.Functions, "functions")];
        for (var i = 0; i < _functionTypes.Length; i++) _functionTypes[i] = _bytes.Index();
    }

    void ReadTables()
    {
        var count = _bytes.Count(Limits.Tables, "tables");
        for (var i = 0; i < count; i++) _tables.Add(ReadTable());
    }

    TableDefinition ReadTable()
    {
        if (_bytes.Peek() != 0x40)
            return new TableDefinition(ReadReferenceType(), ReadLimits(isMemory: false), default, null);
        _bytes.Byte();
        var at = _bytes.Position;
        if (_bytes.Byte() != 0) throw Malformed("zero byte expected", at);
        _features |= WasmFeatures.TypedReferences;
        return new TableDefinition(ReadReferenceType(), ReadLimits(isMemory: false), ReadExpression(), null);
    }

    void ReadMemories()
    {
        var count = _bytes.Count(Limits.Memories, "memories");
        for (var i = 0; i < count; i++) _memories.Add(new MemoryDefinition(ReadLimits(isMemory: true), null));
    }

    void ReadGlobals()
    {
        var count = _bytes.Count(Limits.Globals, "globals");
        for (var i = 0; i < count; i++)
            _globals.Add(new GlobalDefinition(ReadValueType(), ReadMutability(), ReadExpression(), null));
    }

    void ReadTags()
    {
        var count = _bytes.Count(Limits.Tags, "tags");
        for (var i = 0; i < count; i++) _tags.Add(new TagDefinition(ReadTagType(), null));
    }

    void ReadExports()
    {
        var count = _bytes.Count(Limits.Exports, "exports");
        var exports = new ArrayBuilder<ModuleExport>(count);
        for (var i = 0; i < count; i++)
        {
            var name = _bytes.Name();
            var at = _bytes.Position;
            var kind = _bytes.Byte();
            if (kind > 4) throw Malformed("malformed export kind", at);
            exports.Add(new ModuleExport(name, (ExternKind)kind, _bytes.Index()));
        }
        _exports = exports.Finish();
    }

    void ReadElements()
    {
        var count = _bytes.Count(Limits.ElementSegments, "element segments");
        var elements = new ArrayBuilder<ElementSegment>(count);
        for (var i = 0; i < count; i++) elements.Add(ReadElement());
        _elements = elements.Finish();
    }

    // Flags: bit 0 passive or declarative, bit 1 explicit table (or declarative), bit 2 expressions, not indices.
    ElementSegment ReadElement()
    {
        var at = _bytes.Position;
        var flags = _bytes.U32();
        if (flags > 7) throw Malformed("malformed elements segment kind", at);
        var isActive = (flags & 1) == 0;
        var isExplicit = (flags & 2) != 0;
        var mode = isActive ? SegmentMode.Active : isExplicit ? SegmentMode.Declarative : SegmentMode.Passive;
        _features |= flags switch
        {
            0 => WasmFeatures.None,
            3 or 7 => WasmFeatures.ReferenceTypes,
            _ => WasmFeatures.BulkMemory,
        };

        var table = isActive && isExplicit ? _bytes.Index() : 0;
        var offset = isActive ? ReadExpression() : default;
        var hasType = (flags & 3) != 0;
        if ((flags & 4) == 0)
        {
            if (hasType) ReadElementKind();
            return new ElementSegment(mode, table, offset, NonNullFunction, ReadFunctionIndices(), default);
        }
        var type = hasType ? ReadReferenceType() : ValueType.FuncRef;
        return new ElementSegment(mode, table, offset, type, default, ReadExpressions());
    }

    // Function indices never give null: core 5.5.12 types them (ref func).
    static ValueType NonNullFunction => ValueType.Reference(HeapKind.Func, isNullable: false);

    void ReadElementKind()
    {
        var at = _bytes.Position;
        if (_bytes.Byte() != 0) throw Malformed("malformed element kind", at);
    }

    ImmutableArray<int> ReadFunctionIndices()
    {
        var count = _bytes.Count(Limits.Elements, "elements");
        var functions = new ArrayBuilder<int>(count);
        for (var i = 0; i < count; i++) functions.Add(_bytes.Index());
        return functions.Finish();
    }

    ImmutableArray<CodeRange> ReadExpressions()
    {
        var count = _bytes.Count(Limits.Elements, "elements");
        var expressions = new ArrayBuilder<CodeRange>(count);
        for (var i = 0; i < count; i++) expressions.Add(ReadExpression());
        return expressions.Finish();
    }

    void ReadData()
    {
        var count = _bytes.Count(Limits.DataSegments, "data segments");
        var data = new ArrayBuilder<DataSegment>(count);
        for (var i = 0; i < count; i++) data.Add(ReadDataSegment());
        _data = data.Finish();
    }

    DataSegment ReadDataSegment()
    {
        var at = _bytes.Position;
        var flags = _bytes.U32();
        if (flags > 2) throw Malformed("malformed data segment kind", at);
        if (flags != 0) _features |= WasmFeatures.BulkMemory;
        var memory = flags == 2 ? _bytes.Index() : 0;
        var offset = flags == 1 ? default : ReadExpression();
        var length = _bytes.U32();
        if (length > (uint)_bytes.Left) throw _bytes.UnexpectedEnd();
        var content = new CodeRange(_bytes.Position, _bytes.Position + (int)length);
        _bytes.Position = content.End;
        return new DataSegment(flags == 1 ? SegmentMode.Passive : SegmentMode.Active, memory, offset, content);
    }
}
