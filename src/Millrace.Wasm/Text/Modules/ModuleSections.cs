namespace Millrace.Wasm.Text.Modules;

/// <summary>A section of the binary format; the values are not ids but the order they stand in.</summary>
enum SectionPlace : byte
{
    First,
    Type,
    Import,
    Func,
    Table,
    Memory,
    Tag,
    Global,
    Export,
    Start,
    Elem,
    DataCount,
    Code,
    Data,
    Last,
}

/// <summary>The sections of a module in the making.</summary>
sealed class ModuleSections
{
    readonly uint[] _imported = new uint[5];
    readonly uint[] _defined = new uint[5];
    readonly BinaryOutput _imports = new();
    readonly BinaryOutput _exports = new();
    uint _exportCount;

    public BinaryOutput Functions { get; } = new();

    public BinaryOutput Tables { get; } = new();

    public BinaryOutput Memories { get; } = new();

    public BinaryOutput Tags { get; } = new();

    public BinaryOutput Globals { get; } = new();

    public BinaryOutput Elements { get; } = new();

    public uint ElementCount { get; set; }

    public BinaryOutput Code { get; } = new();

    public BinaryOutput Datas { get; } = new();

    public uint DataCount { get; set; }

    /// <summary>Whether code names a data segment: then the count must stand before the code.</summary>
    public bool UsesDataIndex { get; set; }

    public uint? Start { get; set; }

    /// <summary>Contents of the custom section of branch hints, which stands before the code.</summary>
    public byte[] BranchHints { get; set; } = [];

    public uint NextIndex(ExternKind kind) => _imported[(int)kind] + _defined[(int)kind];

    public void Define(ExternKind kind) => _defined[(int)kind]++;

    public void AddImport((string Module, string Name) import, ExternKind kind, ReadOnlySpan<byte> type)
    {
        _imported[(int)kind]++;
        _imports.Name(import.Module);
        _imports.Name(import.Name);
        _imports.Byte((int)kind);
        _imports.Bytes(type);
    }

    public void AddExport(string name, ExternKind kind, uint index)
    {
        _exportCount++;
        _exports.Name(name);
        _exports.Byte((int)kind);
        _exports.Unsigned(index);
    }

    /// <summary>The module as bytes.</summary>
    public byte[] Assemble(TypeReader types, CustomAnnotations customs, ReadOnlySpan<byte> names)
    {
        var module = new BinaryOutput();
        module.Bytes([0x00, 0x61, 0x73, 0x6D, 0x01, 0x00, 0x00, 0x00]);
        customs.Write(SectionPlace.First, module);
        for (var place = SectionPlace.Type; place <= SectionPlace.Data; place++)
        {
            customs.WriteBefore(place, module);
            Write(place, types, module);
            customs.Write(place, module);
        }

        WriteSection(module, 0, names);
        customs.Write(SectionPlace.Last, module);
        return module.Span.ToArray();
    }

    void Write(SectionPlace place, TypeReader types, BinaryOutput module)
    {
        switch (place)
        {
            case SectionPlace.Type:
                Counted(1, types.GroupCount, types.Section);
                break;
            case SectionPlace.Import:
                Counted(2, (uint)_imported.Sum(static count => count), _imports.Span);
                break;
            case SectionPlace.Func:
                Counted(3, Defined(ExternKind.Function), Functions.Span);
                break;
            case SectionPlace.Table:
                Counted(4, Defined(ExternKind.Table), Tables.Span);
                break;
            case SectionPlace.Memory:
                Counted(5, Defined(ExternKind.Memory), Memories.Span);
                break;
            case SectionPlace.Tag:
                Counted(13, Defined(ExternKind.Tag), Tags.Span);
                break;
            case SectionPlace.Global:
                Counted(6, Defined(ExternKind.Global), Globals.Span);
                break;
            case SectionPlace.Export:
                Counted(7, _exportCount, _exports.Span);
                break;
            case SectionPlace.Start:
                if (Start is { } start) WriteSection(module, 8, Number(start));
                break;
            case SectionPlace.Elem:
                Counted(9, ElementCount, Elements.Span);
                break;
            case SectionPlace.DataCount:
                if (UsesDataIndex) WriteSection(module, 12, Number(DataCount));
                break;
            case SectionPlace.Code:
                WriteSection(module, 0, BranchHints);
                Counted(10, Defined(ExternKind.Function), Code.Span);
                break;
            case SectionPlace.Data:
                Counted(11, DataCount, Datas.Span);
                break;
        }

        void Counted(int id, uint count, ReadOnlySpan<byte> entries)
        {
            if (count == 0) return;
            var body = new BinaryOutput();
            body.Unsigned(count);
            body.Bytes(entries);
            WriteSection(module, id, body.Span);
        }
    }

    uint Defined(ExternKind kind) => _defined[(int)kind];

    static ReadOnlySpan<byte> Number(uint value)
    {
        var body = new BinaryOutput();
        body.Unsigned(value);
        return body.Span;
    }

    static void WriteSection(BinaryOutput module, int id, ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty) return;
        module.Byte(id);
        module.Sized(body);
    }
}
