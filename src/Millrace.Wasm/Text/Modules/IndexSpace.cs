namespace Millrace.Wasm.Text.Modules;

/// <summary>One index space of a module, a function's locals, or a struct's fields, with its identifiers.</summary>
/// <param name="kind">The word of "unknown …".</param>
/// <param name="bindKind">The word of "duplicate …", where it is another.</param>
sealed class IndexSpace(string kind, string? bindKind = null)
{
    readonly Dictionary<string, uint> _indices = [];
    readonly SortedDictionary<uint, string> _names = [];

    public string Kind => kind;

    public uint Count { get; private set; }

    /// <summary>Names by index: the identifiers, or what an annotation says instead.</summary>
    public IReadOnlyDictionary<uint, string> Names => _names;

    /// <summary>Gives the next index to <paramref name="id"/>.</summary>
    public uint Add(string? id, Cursor place)
    {
        if (id is not null)
        {
            if (!_indices.TryAdd(id, Count)) throw place.Error($"duplicate {bindKind ?? kind}");
            _names[Count] = id;
        }

        return Count++;
    }

    /// <summary>Gives indices to things without identifiers.</summary>
    public void Skip(uint count) => Count += count;

    public void Rename(uint index, string name) => _names[index] = name;

    /// <summary>Reads an index: a number or an identifier.</summary>
    public uint Read(Cursor cursor)
    {
        if (cursor.Kind != TokenKind.Id) return cursor.Natural32();
        var place = cursor.Position;
        var id = cursor.TryId()!;
        if (_indices.TryGetValue(id, out var index)) return index;
        cursor.Position = place;
        throw cursor.Error($"unknown {kind} ${id}");
    }

    /// <summary>Reads an index where one stands, else answers <paramref name="absent"/>.</summary>
    public uint ReadOr(Cursor cursor, uint absent) => IsIndex(cursor) ? Read(cursor) : absent;

    public static bool IsIndex(Cursor cursor) => cursor.Kind is TokenKind.Natural or TokenKind.Id;
}
