namespace Millrace.Wasm.Text.Modules;

/// <summary>The labels in force, innermost last.</summary>
sealed class LabelStack(Cursor cursor)
{
    readonly List<(string? Id, bool MayElse)> _labels = [];

    public int Count => _labels.Count;

    /// <summary>The innermost label's identifier.</summary>
    public string? Top => _labels[^1].Id;

    public void Push(string? id, bool isIf) => _labels.Add((id, isIf));

    public void Pop() => _labels.RemoveAt(_labels.Count - 1);

    /// <summary>Passes from a plain <c>if</c> to its <c>else</c>; false where there is no such place.</summary>
    public bool TryEnterElse()
    {
        var (id, mayElse) = _labels[^1];
        _labels[^1] = (id, false);
        return mayElse;
    }

    /// <summary>Reads a label: a number or an identifier.</summary>
    public uint Read()
    {
        if (cursor.Kind != TokenKind.Id) return cursor.Natural32();
        var place = cursor.Position;
        var id = cursor.TryId();
        for (var depth = 0; depth < _labels.Count; depth++)
        {
            if (_labels[^(depth + 1)].Id == id) return (uint)depth;
        }

        cursor.Position = place;
        throw cursor.Error($"unknown label ${id}");
    }
}
