using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Dwarf;

/// <summary>A line of a source file; the file as the table names it.</summary>
readonly record struct SourceLine(string File, int Line);

/// <summary>
/// Which source line each instruction came from: the custom section <c>.debug_line</c> (DWARF 2 to 5, chapter 6.2),
/// whose addresses are offsets in the code section. Never needed to run a module, and written by whoever wrote the
/// module: whatever is wrong with it ends the reading and is not reported. Time and memory are bounded by its length
/// and by <see cref="RowsMax"/>.
/// </summary>
sealed class LineTable
{
    /// <summary>Rows kept at most; what comes behind has no lines. One row takes 12 bytes.</summary>
    public const int RowsMax = 1 << 20;

    /// <summary>Source files kept at most.</summary>
    public const int FilesMax = 1 << 17;

    public const string SectionName = ".debug_line";

    public static readonly LineTable Empty = new(ReadOnlyMemory<byte>.Empty, [], [], []);

    readonly ReadOnlyMemory<byte> _module;
    readonly LineSequence[] _sequences; // by start
    readonly List<LineRow> _rows;
    readonly List<SourceFile> _files;

    LineTable(
        ReadOnlyMemory<byte> module, IEnumerable<LineSequence> sequences, List<LineRow> rows, List<SourceFile> files)
    {
        (_module, _rows, _files) = (module, rows, files);
        _sequences = [.. sequences.OrderBy(sequence => sequence.Start)];
    }

    /// <summary>Whether the module carries line tables.</summary>
    public static bool IsIn(ModuleDefinition module) => Section(module, SectionName) is not null;

    /// <summary>The module's line tables; as far as they are well-formed.</summary>
    public static LineTable Read(ModuleDefinition module)
    {
        if (Section(module, SectionName) is not { } lines) return Empty;
        var program = new LineProgram(
            module.Bytes.Span, Section(module, ".debug_str") ?? default, Section(module, ".debug_line_str") ?? default);
        try
        {
            program.Run(lines);
        }
        catch (MalformedException)
        {
            // What was read before it stands.
        }
        return new LineTable(module.Bytes, program.Sequences, program.Rows, program.Files);
    }

    /// <summary>The line of the instruction at that offset in the code section; null where the table has none.</summary>
    public SourceLine? Find(int codeOffset)
    {
        if (SequenceAt((uint)codeOffset) is not { } sequence) return null;
        var (low, high) = (sequence.FirstRow, sequence.EndRow - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_rows[middle].Address <= (uint)codeOffset) low = middle;
            else high = middle - 1;
        }
        var row = _rows[low];
        // Line 0: code that the compiler made of no line.
        if (row.Line <= 0 || row.File < 0) return null;
        return _files[row.File].Path(_module.Span) is { } path ? new SourceLine(path, row.Line) : null;
    }

    LineSequence? SequenceAt(uint address)
    {
        var (low, high) = (0, _sequences.Length - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_sequences[middle].Start <= address) low = middle;
            else high = middle - 1;
        }
        if (high < 0) return null;
        var found = _sequences[low];
        return found.Start <= address && address < found.End ? found : null;
    }

    static CodeRange? Section(ModuleDefinition module, string name)
    {
        foreach (var section in module.CustomSections)
            if (section.Name == name) return section.Content;
        return null;
    }
}
