using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Dwarf;

/// <summary>Runs the line programs of a section: each opcode takes a byte at least, and the same time.</summary>
ref struct LineProgram(ReadOnlySpan<byte> module, CodeRange strings, CodeRange lineStrings)
{
    readonly ReadOnlySpan<byte> _module = module;
    readonly CodeRange _strings = strings;
    readonly CodeRange _lineStrings = lineStrings;

    // The registers.
    ulong _address;
    ulong _file;
    int _line;

    // The sequence that is being read.
    int _firstRow;
    bool _isOrdered;

    // Of the program that is being run.
    int _filesBefore;
    int _firstFile;

    public List<LineSequence> Sequences { get; } = [];
    public List<LineRow> Rows { get; } = [];
    public List<SourceFile> Files { get; } = [];

    /// <summary>Runs them all.</summary>
    /// <exception cref="MalformedException">One is malformed; what came before it is there.</exception>
    public void Run(CodeRange section)
    {
        var reader = new ByteReader(_module, section.Start, section.End);
        while (!reader.AtEnd && Rows.Count < LineTable.RowsMax)
        {
            ulong length = reader.Fixed32();
            var is64 = length == uint.MaxValue;
            if (is64) length = reader.Fixed64();
            if (length > (ulong)reader.Left) throw new MalformedException("length out of bounds", reader.Position);
            var unit = new ByteReader(_module, reader.Position, reader.Position + (int)length);
            reader.Position = unit.End;
            var header = new LineHeader(_module, _strings, _lineStrings);
            _filesBefore = Files.Count;
            if (!header.Read(ref unit, is64, Files)) continue;
            _firstFile = header.FirstFile;
            Run(header, ref unit);
        }
    }

    void Run(in LineHeader header, ref ByteReader unit)
    {
        Begin();
        while (!unit.AtEnd && Rows.Count < LineTable.RowsMax)
        {
            int opcode = unit.Byte();
            if (opcode >= header.OpcodeBase) RunSpecial(header, opcode);
            else if (opcode == 0) RunExtended(ref unit);
            else RunStandard(header, opcode, ref unit);
        }
        Rows.RemoveRange(_firstRow, Rows.Count - _firstRow); // a sequence without end has no length
    }

    void Begin()
    {
        (_address, _file, _line) = (0, 1, 1);
        (_firstRow, _isOrdered) = (Rows.Count, true);
    }

    void RunSpecial(in LineHeader header, int opcode)
    {
        var adjusted = opcode - header.OpcodeBase;
        _address += (ulong)(adjusted / header.LineRange) * header.StepBytes;
        _line += header.LineBase + adjusted % header.LineRange;
        AddRow();
    }

    void RunStandard(in LineHeader header, int opcode, ref ByteReader unit)
    {
        switch (opcode)
        {
            case 1: AddRow(); break; // copy
            case 2: _address += unit.U64() * header.StepBytes; break; // advance_pc
            case 3: _line += (int)unit.S64(); break; // advance_line
            case 4: _file = unit.U64(); break; // set_file
            case 8: // const_add_pc
                _address += (ulong)((255 - header.OpcodeBase) / header.LineRange) * header.StepBytes;
                break;
            case 9: _address += (uint)(unit.Byte() | (unit.Byte() << 8)); break; // fixed_advance_pc
            default: // about columns and statements, or unknown
                for (var operands = header.OperandCounts[opcode - 1]; operands > 0; operands--) unit.U64();
                break;
        }
    }

    void RunExtended(ref ByteReader unit)
    {
        var length = unit.Length();
        if (length == 0) return;
        var end = unit.Position + length;
        switch (unit.Byte())
        {
            case 1: EndSequence(); break;
            case 2 when length == 5: _address = unit.Fixed32(); break; // set_address
            case 2 when length == 9: _address = unit.Fixed64(); break;
        }
        unit.Position = end; // columns' discriminators and files of the program's own are left out
    }

    void AddRow()
    {
        var address = (uint)_address;
        if (_address > int.MaxValue)
        {
            _isOrdered = false; // no module is that long: code that the linker left out has such addresses
            return;
        }
        var isFirst = Rows.Count == _firstRow;
        if (!isFirst && address < Rows[^1].Address) _isOrdered = false;
        if (!_isOrdered) return;
        var row = new LineRow(address, FileIndex(), _line);
        // Rows that differ in their column alone.
        if (!isFirst && Rows[^1] is var last && last.File == row.File && last.Line == row.Line) return;
        if (!isFirst && Rows[^1].Address == address) Rows[^1] = row; // the later one holds
        else Rows.Add(row);
    }

    void EndSequence()
    {
        var isWhole = _isOrdered && Rows.Count > _firstRow && Rows[_firstRow].Address != 0
            && Rows[^1].Address <= _address && _address <= int.MaxValue;
        // Address 0 is no code's, but that of code left out.
        if (isWhole) Sequences.Add(new(Rows[_firstRow].Address, (uint)_address, _firstRow, Rows.Count));
        else Rows.RemoveRange(_firstRow, Rows.Count - _firstRow);
        Begin();
    }

    readonly int FileIndex()
    {
        var index = _file - (ulong)_firstFile;
        return index < (ulong)(Files.Count - _filesBefore) ? _filesBefore + (int)index : -1;
    }
}
