using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Dwarf;

/// <summary>The header of one line program: how its opcodes count, and its source files.</summary>
ref struct LineHeader(ReadOnlySpan<byte> module, CodeRange strings, CodeRange lineStrings)
{
    // What an entry of a table describes (DW_LNCT), and how it is written (DW_FORM).
    const ulong Path = 1;
    const ulong FolderIndex = 2;
    const ulong FormBlock = 0x09, FormData1 = 0x0B, FormData2 = 0x05, FormData4 = 0x06, FormData8 = 0x07;
    const ulong FormData16 = 0x1E, FormString = 0x08, FormUdata = 0x0F, FormStrp = 0x0E, FormLineStrp = 0x1F;

    readonly ReadOnlySpan<byte> _module = module;
    readonly CodeRange _strings = strings;
    readonly CodeRange _lineStrings = lineStrings;
    readonly List<CodeRange> _folders = [];
    bool _is64;

    /// <summary>Bytes of the shortest instruction: the unit of address steps.</summary>
    public uint StepBytes { get; private set; }
    public int LineBase { get; private set; }
    public int LineRange { get; private set; }

    /// <summary>The first special opcode.</summary>
    public int OpcodeBase { get; private set; }

    /// <summary>Operands of each standard opcode, by opcode less one.</summary>
    public ReadOnlySpan<byte> OperandCounts { get; private set; }

    /// <summary>The number of the first file.</summary>
    public int FirstFile { get; private set; }

    /// <summary>Reads a header up to the program; false for one of a kind that no WebAssembly compiler writes.</summary>
    public bool Read(ref ByteReader unit, bool is64, List<SourceFile> files)
    {
        _is64 = is64;
        var version = Fixed16(ref unit);
        if (version is < 2 or > 5) return false;
        if (version == 5) unit.Bytes(2); // sizes of an address and of a segment selector
        var length = Offset(ref unit);
        if (length > (ulong)unit.Left) throw new MalformedException("line header out of bounds", unit.Position);
        var program = unit.Position + (int)length;
        StepBytes = unit.Byte();
        if (version >= 4 && unit.Byte() > 1) return false; // several operations to an instruction
        unit.Byte(); // whether rows are statements at first
        LineBase = (sbyte)unit.Byte();
        LineRange = unit.Byte();
        OpcodeBase = unit.Byte();
        if (LineRange == 0 || OpcodeBase == 0) throw new MalformedException("malformed line header", unit.Position);
        OperandCounts = unit.Bytes(OpcodeBase - 1);
        if (program < unit.Position) throw new MalformedException("line header out of bounds", unit.Position);
        var header = new ByteReader(_module, unit.Position, program);
        FirstFile = version == 5 ? 0 : 1;
        if (version == 5) ReadTables(ref header, files);
        else ReadLists(ref header, files);
        unit.Position = program;
        return true;
    }

    /// <summary>A length or an offset, of 4 bytes or of 8.</summary>
    readonly ulong Offset(ref ByteReader reader) => _is64 ? reader.Fixed64() : reader.Fixed32();

    // Up to version 4: texts up to an empty one. Folder 0 is the compiler's, which stands elsewhere.
    readonly void ReadLists(ref ByteReader header, List<SourceFile> files)
    {
        _folders.Add(default);
        while (Text(ref header) is { IsEmpty: false } folder) _folders.Add(folder);
        while (Text(ref header) is { IsEmpty: false } name)
        {
            var folder = header.U64();
            header.U64(); // time
            header.U64(); // length
            Add(files, new SourceFile(default, Folder(folder), name));
        }
    }

    // Version 5: tables that describe themselves. Folder 0 is the compiler's.
    readonly void ReadTables(ref ByteReader header, List<SourceFile> files)
    {
        Span<(ulong Content, ulong Form)> format = new (ulong, ulong)[byte.MaxValue];
        var folders = ReadFormat(ref header, format, out var count);
        for (var i = 0UL; i < count; i++) _folders.Add(ReadEntry(ref header, format[..folders]).Path);
        var columns = ReadFormat(ref header, format, out count);
        for (var i = 0UL; i < count; i++)
        {
            var (name, folder) = ReadEntry(ref header, format[..columns]);
            Add(files, new SourceFile(Folder(0), folder == 0 ? default : Folder(folder), name));
        }
    }

    static int ReadFormat(ref ByteReader header, Span<(ulong Content, ulong Form)> format, out ulong count)
    {
        var columns = header.Byte();
        for (var i = 0; i < columns; i++) format[i] = (header.U64(), header.U64());
        count = header.U64();
        // Each column takes a byte at least, or a few bytes could stand for any number of entries.
        if (count > (columns == 0 ? 0 : (ulong)header.Left))
            throw new MalformedException("too many entries", header.Position);
        return columns;
    }

    readonly (CodeRange Path, ulong Folder) ReadEntry(
        ref ByteReader header, ReadOnlySpan<(ulong Content, ulong Form)> format)
    {
        CodeRange path = default;
        var folder = 0UL;
        foreach (var (content, form) in format)
        {
            var isText = form is FormString or FormStrp or FormLineStrp;
            var text = isText ? ReadText(ref header, form) : default;
            var number = isText ? 0 : ReadNumber(ref header, form);
            if (content == Path) path = text;
            if (content == FolderIndex) folder = number;
        }
        return (path, folder);
    }

    readonly CodeRange ReadText(ref ByteReader header, ulong form)
    {
        if (form == FormString) return Text(ref header);
        var section = form == FormStrp ? _strings : _lineStrings;
        var offset = Offset(ref header);
        return offset >= (ulong)section.Length ? default : section with { Start = section.Start + (int)offset };
    }

    static ulong ReadNumber(ref ByteReader header, ulong form)
    {
        switch (form)
        {
            case FormUdata: return header.U64();
            case FormData1: return header.Byte();
            case FormData2: return Fixed16(ref header);
            case FormData4: return header.Fixed32();
            case FormData8: return header.Fixed64();
            case FormData16:
                header.Bytes(16);
                return 0;
            case FormBlock:
                header.Bytes(header.Length());
                return 0;
            default: throw new MalformedException("unknown form", header.Position);
        }
    }

    readonly CodeRange Folder(ulong index) => index < (ulong)_folders.Count ? _folders[(int)index] : default;

    readonly CodeRange Text(ref ByteReader reader)
    {
        var start = reader.Position;
        var length = _module[start..reader.End].IndexOf((byte)0);
        if (length < 0) throw new MalformedException("unexpected end", reader.End);
        reader.Position += length + 1;
        return new CodeRange(start, start + length);
    }

    static void Add(List<SourceFile> files, SourceFile file)
    {
        if (files.Count == LineTable.FilesMax) throw new MalformedException("too many files", 0);
        files.Add(file);
    }

    static uint Fixed16(ref ByteReader reader) => (uint)(reader.Byte() | (reader.Byte() << 8));
}
