using System.Collections.Immutable;

namespace Millrace.Wasm.Binary;

/// <summary>Reads one module, section by section. The other files of this struct hold the sections' contents.</summary>
ref partial struct ModuleReader
{
    // Section ids in the order in which they must come: tags stand behind memories, the data count before the code.
    static ReadOnlySpan<byte> SectionOrder => [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

    readonly ReadOnlyMemory<byte> _memory;
    readonly ReadOnlySpan<byte> _module;
    readonly SafetyCheck _without;
    ByteReader _bytes;
    WasmFeatures _features;

    readonly ArrayBuilder<TypeDefinition> _types = new();
    readonly ArrayBuilder<ImportDefinition> _imports = new();
    readonly ArrayBuilder<FunctionDefinition> _functions = new();
    readonly ArrayBuilder<TableDefinition> _tables = new();
    readonly ArrayBuilder<MemoryDefinition> _memories = new();
    readonly ArrayBuilder<GlobalDefinition> _globals = new();
    readonly ArrayBuilder<TagDefinition> _tags = new();
    readonly ArrayBuilder<CustomSection> _customs = new();

    ImmutableArray<ModuleExport> _exports = Arrays<ModuleExport>.Empty;
    ImmutableArray<ElementSegment> _elements = Arrays<ElementSegment>.Empty;
    ImmutableArray<DataSegment> _data = Arrays<DataSegment>.Empty;
    int[] _functionTypes = [];
    ImportCounts _imported;
    FunctionBody[] _bodies = Arrays<FunctionBody>.None;
    CodeRange _codeSection;
    uint? _dataCount;
    uint? _start;

    // Whether each open block is an `if` that may still have its `else`; reused for all bodies.
    bool[] _blocks = new bool[64];

    // Of a module that was decoded before: what its code was found to use.
    readonly WasmFeatures? _known;

    public ModuleReader(
        ReadOnlyMemory<byte> memory, WasmFeatures? known = null, SafetyCheck without = SafetyCheck.None)
    {
        _known = known;
        _memory = memory;
        _without = without;
        _module = memory.Span;
        _bytes = new ByteReader(_module, 0, _module.Length);
    }

    public ModuleDefinition Read()
    {
        ReadHeader();
        for (var order = 0; !_bytes.AtEnd;) ReadSection(ref order);
        DefineFunctions();
        CheckDataCount();
        ScanFeatures();
        return new ModuleDefinition
        {
            Bytes = _memory,
            Types = _types.Finish(),
            Imports = _imports.Finish(),
            Functions = _functions.Finish(),
            Tables = _tables.Finish(),
            Memories = _memories.Finish(),
            Globals = _globals.Finish(),
            Tags = _tags.Finish(),
            Exports = _exports,
            HasStart = _start is not null,
            StartFunction = (int)(_start ?? uint.MaxValue),
            Elements = _elements,
            Data = _data,
            CustomSections = _customs.Finish(),
            CodeSection = _codeSection,
            Features = _known ?? _features,
            ImportedFunctionCount = _imported.Functions,
            ImportedTableCount = _imported.Tables,
            ImportedMemoryCount = _imported.Memories,
            ImportedGlobalCount = _imported.Globals,
            ImportedTagCount = _imported.Tags,
        };
    }

    void ReadHeader()
    {
        if (_module.Length > Limits.ModuleBytes) throw Malformed("module too large", 0);
        if (_module.Length < 4) throw Malformed("unexpected end", _module.Length);
        if (!_bytes.Bytes(4).SequenceEqual("\0asm"u8)) throw Malformed("magic header not detected", 0);
        if (_module.Length < 8) throw Malformed("unexpected end", _module.Length);
        if (_bytes.Fixed32() != 1) throw Malformed("unknown binary version", 4);
    }

    void ReadSection(ref int order)
    {
        var at = _bytes.Position;
        var id = _bytes.Byte();
        if (id > 13) throw Malformed("malformed section id", at);
        var length = _bytes.Length();
        var end = _bytes.Position + length;
        if (id != 0)
        {
            var place = SectionOrder.IndexOf(id) + 1;
            if (place <= order) throw Malformed("unexpected content after last section", at);
            order = place;
        }
        var outer = _bytes;
        _bytes = new ByteReader(_module, outer.Position, end);
        ReadContent(id);
        if (_bytes.Position != end) throw Malformed("section size mismatch", _bytes.Position);
        outer.Position = end;
        _bytes = outer;
    }

    void ReadContent(byte id)
    {
        switch (id)
        {
            case 0: ReadCustom(); break;
            case 1: ReadTypes(); break;
            case 2: ReadImports(); break;
            case 3: ReadFunctions(); break;
            case 4: ReadTables(); break;
            case 5: ReadMemories(); break;
            case 6: ReadGlobals(); break;
            case 7: ReadExports(); break;
            case 8: _start = _bytes.U32(); break;
            case 9: ReadElements(); break;
            case 10: ReadCode(); break;
            case 11: ReadData(); break;
            case 12: _dataCount = _bytes.U32(); break;
            case 13: ReadTags(); break;
            default: throw new InvalidOperationException($"no reader for section {id}");
        }
    }

    void ReadCustom()
    {
        var name = _bytes.Name();
        _customs.Add(new CustomSection(name, new CodeRange(_bytes.Position, _bytes.End)));
        _bytes.Position = _bytes.End;
    }

    readonly void CheckDataCount()
    {
        if (_dataCount is { } count && count != _data.Length)
            throw Malformed("data count and data section have inconsistent lengths", _module.Length);
    }

    static MalformedException Malformed(string reason, int offset) => new(reason, offset);

    /// <summary>How many entries of each index space are imports.</summary>
    struct ImportCounts
    {
        public int Functions;
        public int Tables;
        public int Memories;
        public int Globals;
        public int Tags;
    }
}
