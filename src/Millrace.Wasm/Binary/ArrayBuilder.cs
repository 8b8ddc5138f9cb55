using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Millrace.Wasm.Binary;

/// <summary>
/// Grows an array and gives it away. Code of the framework's collections over structs of the engine is in no
/// precompiled image, so that a fresh process would first compile it: what is on the way to a module of the cache uses
/// this.
/// </summary>
sealed class ArrayBuilder<T>(int capacity = 0)
{
    T[] _items = capacity == 0 ? Arrays<T>.None : Arrays<T>.Make(capacity);

    public int Count { get; private set; }

    public ref readonly T this[int index] => ref _items[index];

    public void Add(T item)
    {
        if (Count == _items.Length) Resize(Math.Max(4, Count * 2));
        _items[Count++] = item;
    }

    public void Clear() => (_items, Count) = (Arrays<T>.None, 0);

    /// <summary>The items so far; nothing may be added afterwards.</summary>
    public ImmutableArray<T> Finish()
    {
        if (Count != _items.Length) Resize(Count);
        return Arrays<T>.Immutable(_items);
    }

    void Resize(int length)
    {
        var items = length == 0 ? Arrays<T>.None : Arrays<T>.Make(length);
        Array.Copy(_items, items, Count);
        _items = items;
    }
}

/// <summary>What the framework has for arrays, in the engine's own code.</summary>
static class Arrays<T>
{
    public static readonly T[] None = Make(0);

    public static readonly ImmutableArray<T> Empty = Immutable(None);

    public static T[] Make(int length) => new T[length];

    /// <summary>The array itself, which nobody may write to any more.</summary>
    public static ImmutableArray<T> Immutable(T[] array) => Unsafe.As<T[], ImmutableArray<T>>(ref array);
}
