using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm;

/// <summary>A table of references.</summary>
public sealed class Table
{
    /// <summary>A table of the host's making.</summary>
    /// <param name="store">Its owner.</param>
    /// <param name="elementType">What it holds.</param>
    /// <param name="countMin">Initial number of elements.</param>
    /// <param name="countMax">Largest number, or null for none.</param>
    /// <param name="initial">What the elements are at first.</param>
    /// <param name="is64">Whether indexes are <c>i64</c>.</param>
    /// <exception cref="LinkException">The store's limits do not allow the initial size.</exception>
    public Table(
        Store store, ValueType elementType, long countMin, long? countMax = null, object? initial = null,
        bool is64 = false)
        : this(store, elementType, LimitsOf(countMin, countMax, is64), initial) =>
        store.Engine.Types.Check(elementType);

    internal Table(Store store, ValueType elementType, SizeLimits limits, object? initial = null)
    {
        (Store, ElementType, Limits) = (store, elementType, limits);
        if (limits.Min != 0) References.Check(Store, ElementType, initial);
        if (limits.Min > long.MaxValue || TryGrow((long)limits.Min, initial) < 0)
            throw new LinkException($"a table of {limits.Min} elements is more than the store's limits allow");
    }

    internal Store Store { get; }

    /// <summary>Elements, and room to grow: slots behind <see cref="Length"/> are null.</summary>
    internal object?[] Elements = [];

    internal int Length;

    /// <summary>What it holds.</summary>
    public ValueType ElementType { get; }

    /// <summary>Whether indexes are <c>i64</c>.</summary>
    public bool Is64 => Limits.Is64;

    /// <summary>Declared maximum, if any; <see cref="long.MaxValue"/> stands for larger ones.</summary>
    public long? CountMax => Limits.Max is { } max ? (long)Math.Min(max, long.MaxValue) : null;

    /// <summary>As declared.</summary>
    internal SizeLimits Limits { get; }

    /// <summary>Number of elements now.</summary>
    public int Count => Length;

    /// <summary>An element: a <see cref="Function"/>, a host object, or null.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such element.</exception>
    /// <exception cref="ArgumentException">The value has another type or another store.</exception>
    public object? this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Length, nameof(index));
            return Elements[index];
        }
        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Length, nameof(index));
            References.Check(Store, ElementType, value);
            Elements[index] = value;
        }
    }

    /// <summary>Grows by that many elements; the former number, or −1 where a limit forbids it.</summary>
    /// <exception cref="ArgumentException">The value has another type or another store.</exception>
    public int Grow(long count, object? value)
    {
        References.Check(Store, ElementType, value);
        return TryGrow(count, value);
    }

    /// <summary>As <see cref="Grow"/>, with a value that is known to fit.</summary>
    internal int TryGrow(long count, object? value)
    {
        var before = Length;
        if (count == 0) return before;
        if (count < 0 || count > Math.Min(CountMax ?? uint.MaxValue, Array.MaxLength) - before) return -1;
        if (!Store.TryChargeElements(count)) return -1;
        var length = before + (int)count;
        if (length > Elements.Length && !TryEnlarge(length))
        {
            Store.TryChargeElements(-count);
            return -1;
        }
        if (value is not null) Array.Fill(Elements, value, before, (int)count);
        Length = length;
        return before;
    }

    static SizeLimits LimitsOf(long countMin, long? countMax, bool is64)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(countMin);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(countMin, countMax ?? countMin);
        return new SizeLimits((ulong)countMin, (ulong?)countMax, is64, IsShared: false);
    }

    // Doubles, so that a guest which grows by one at a time costs no more than its own loop. The first array is exact:
    // most tables never grow.
    bool TryEnlarge(int length)
    {
        var doubled = Math.Min(Elements.Length * 2L, CountMax ?? int.MaxValue);
        var room = Math.Max(length, doubled);
        try
        {
            Array.Resize(ref Elements, (int)Math.Min(room, Array.MaxLength));
            return true;
        }
        catch (OutOfMemoryException)
        {
            return false; // the guest's grow fails, as it may
        }
    }
}
