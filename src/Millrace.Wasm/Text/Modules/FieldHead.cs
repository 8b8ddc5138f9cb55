namespace Millrace.Wasm.Text.Modules;

/// <summary>The beginning that functions, tables, memories, globals and tags share: an identifier, inline exports and
/// an inline import.</summary>
/// <param name="Id">Its identifier.</param>
/// <param name="Exports">Names that it is exported by.</param>
/// <param name="Import">Module and name that it is imported by.</param>
sealed record FieldHead(string? Id, IReadOnlyList<string> Exports, (string Module, string Name)? Import)
{
    static readonly (string Word, ExternKind Kind)[] Kinds =
    [
        ("func", ExternKind.Function),
        ("table", ExternKind.Table),
        ("memory", ExternKind.Memory),
        ("global", ExternKind.Global),
        ("tag", ExternKind.Tag),
    ];

    /// <summary>Reads it; the cursor stands behind the field's word.</summary>
    public static FieldHead Read(Cursor cursor)
    {
        var id = cursor.TryId();
        var exports = new List<string>();
        while (cursor.TryOpen("export"))
        {
            exports.Add(cursor.Name());
            cursor.Close();
        }

        if (!cursor.TryOpen("import")) return new(id, exports, null);
        var import = (cursor.Name(), cursor.Name());
        cursor.Close();
        return new(id, exports, import);
    }

    /// <summary>Enters a form of one of the five kinds.</summary>
    public static bool TryOpenKind(Cursor cursor, out ExternKind kind)
    {
        foreach (var (word, candidate) in Kinds)
        {
            kind = candidate;
            if (cursor.TryOpen(word)) return true;
        }

        kind = default;
        return false;
    }
}
