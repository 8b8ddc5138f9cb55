namespace Millrace.Wasm.Verification;

/// <summary>What holds of an element where two paths meet: less than on either, and nothing (0) where one has nothing.
/// </summary>
interface IJoin<T>
{
    T Join(int index, T left, T right);
}

/// <summary>
/// An array that is copied often and changed little: copies share chunks until one of them writes. What was never
/// written is 0, and takes no room.
/// </summary>
struct SharedArray<T>(int length)
    where T : unmanaged, IEquatable<T>
{
    const int Shift = 4;
    const int ChunkLength = 1 << Shift;

    Chunk?[]? _chunks = new Chunk?[CountFor(length)];

    public readonly int ChunkCount => _chunks?.Length ?? 0;

    /// <summary>Elements that there is room for.</summary>
    public readonly int Length => ChunkCount << Shift;

    public readonly T this[int index] =>
        _chunks is not null && _chunks[index >> Shift] is { } chunk ? chunk.Content[index & (ChunkLength - 1)] : default;

    /// <summary>Sets an element of so many.</summary>
    public void Set(int index, T value, int length)
    {
        var chunk = _chunks?[index >> Shift];
        if (chunk is null || chunk.IsShared)
        {
            if ((chunk is null ? default : chunk.Content[index & (ChunkLength - 1)]).Equals(value)) return;
            _chunks ??= new Chunk?[CountFor(length)];
            chunk = Own(_chunks, index >> Shift);
        }
        chunk.Content[index & (ChunkLength - 1)] = value;
    }

    public readonly SharedArray<T> Copy()
    {
        if (_chunks is null) return default;
        foreach (var chunk in _chunks)
            if (chunk is not null) chunk.IsShared = true;
        return new() { _chunks = (Chunk?[])_chunks.Clone() };
    }

    /// <summary>Joins elements with those of another, where they differ; whether any changed.</summary>
    public readonly bool Join<TJoin>(in SharedArray<T> other, TJoin join)
        where TJoin : struct, IJoin<T>
    {
        var hasChanged = false;
        for (var c = 0; c < ChunkCount; c++)
        {
            if (_chunks![c] is not { } mine) continue;
            var theirs = other._chunks?[c];
            if (mine == theirs || (theirs is not null && mine.Content.AsSpan().SequenceEqual(theirs.Content))) continue;
            for (var i = 0; i < ChunkLength; i++)
            {
                var left = mine.Content[i];
                var right = theirs is null ? default : theirs.Content[i];
                if (left.Equals(right)) continue;
                var joined = join.Join((c << Shift) + i, left, right);
                if (joined.Equals(left)) continue;
                if (mine.IsShared) mine = Own(_chunks, c);
                mine.Content[i] = joined;
                hasChanged = true;
            }
        }
        return hasChanged;
    }

    static int CountFor(int length) => (length + ChunkLength - 1) >> Shift;

    static Chunk Own(Chunk?[] chunks, int c)
    {
        var own = new Chunk();
        chunks[c]?.Content.AsSpan().CopyTo(own.Content);
        return chunks[c] = own;
    }

    sealed class Chunk
    {
        public readonly T[] Content = new T[ChunkLength];
        public bool IsShared;
    }
}
