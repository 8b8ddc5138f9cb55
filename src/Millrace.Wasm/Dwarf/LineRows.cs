using System.Text;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Dwarf;

/// <summary>From <paramref name="Address"/> on, up to the next row's, code came from that line.</summary>
/// <param name="Address">Offset in the code section.</param>
/// <param name="File">Index of the file; −1 where the table names none.</param>
/// <param name="Line">The line, from 1; 0 for none.</param>
readonly record struct LineRow(uint Address, int File, int Line);

/// <summary>Rows of code without gaps, in the order of their addresses.</summary>
readonly record struct LineSequence(uint Start, uint End, int FirstRow, int EndRow);

/// <summary>
/// A source file by the places of its texts in the module: each runs up to a zero byte, or to the range's end. Not
/// read until asked for, since many short entries may name one long text.
/// </summary>
/// <param name="Root">The folder that the compiler ran in; empty where the table does not say.</param>
/// <param name="Folder">The file's folder; empty for the root itself.</param>
/// <param name="Name">The file's name.</param>
readonly record struct SourceFile(CodeRange Root, CodeRange Folder, CodeRange Name)
{
    const int PartBytesMax = 1024;

    /// <summary>The path as the table has it; null where a part is too long for one.</summary>
    public string? Path(ReadOnlySpan<byte> module)
    {
        var path = "";
        foreach (var part in (ReadOnlySpan<CodeRange>)[Root, Folder, Name])
        {
            if (Text(module, part) is not { } text) return null;
            if (text.Length == 0) continue;
            path = path.Length == 0 || IsAbsolute(text) ? text : $"{path.TrimEnd('/')}/{text}";
        }
        return path.Length == 0 ? null : path;
    }

    static string? Text(ReadOnlySpan<byte> module, CodeRange range)
    {
        var bytes = module[range.Start..range.End];
        if (bytes.Length > PartBytesMax) bytes = bytes[..PartBytesMax];
        var end = bytes.IndexOf((byte)0);
        if (end < 0 && bytes.Length != range.Length) return null;
        var text = Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        // It is printed to terminals and logs, which a guest must not steer.
        return text.Any(char.IsControl)
            ? string.Create(text.Length, text, (to, from) =>
            {
                for (var i = 0; i < to.Length; i++) to[i] = char.IsControl(from[i]) ? '?' : from[i];
            })
            : text;
    }

    static bool IsAbsolute(string path) =>
        path[0] is '/' or '\\' || (path.Length > 2 && path[1] == ':' && path[2] is '/' or '\\');
}
