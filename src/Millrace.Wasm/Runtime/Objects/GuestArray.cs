using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Millrace.Wasm.Runtime.Objects;

/// <summary>An array, whatever its elements are.</summary>
abstract class GuestArray(GuestType type, int length) : GuestObject(type)
{
    public readonly int Length = length;

    /// <summary>Copies elements of an array that holds the same kind of them; ranges are checked already.</summary>
    public abstract void Copy(int at, GuestArray source, int from, int count);

    /// <summary>Takes elements from bytes; their ranges are checked already.</summary>
    public abstract void Read(int at, ReadOnlySpan<byte> bytes);

    /// <summary>Bytes of an element.</summary>
    public abstract int ElementBytes { get; }
}

/// <summary>
/// An array over a .NET array of the element as it is stored: <c>byte</c> for <c>i8</c>, <see cref="ReferenceSlot"/>
/// for references.
/// </summary>
sealed class GuestArray<T>(GuestType type, T[] items) : GuestArray(type, items.Length)
    where T : struct
{
    public readonly T[] Items = items;

    public override int ElementBytes => Unsafe.SizeOf<T>();

    // The same kind of elements is the same T, as the validator has seen to.
    public override void Copy(int at, GuestArray source, int from, int count) =>
        LongRuns.Copy(Type.Heap!.Store, Unsafe.As<GuestArray<T>>(source).Items.AsSpan(from, count), Items.AsSpan(at));

    // Never asked of references, whose bytes .NET would not give.
    public override void Read(int at, ReadOnlySpan<byte> bytes) =>
        LongRuns.Copy(
            Type.Heap!.Store, bytes, MemoryMarshal.AsBytes(Items.AsSpan(at, bytes.Length / Unsafe.SizeOf<T>())));
}

/// <summary>An element that is a reference. In a struct, because .NET checks the type at each store to an
/// <c>object[]</c>.</summary>
struct ReferenceSlot
{
    public object? Value;
}
