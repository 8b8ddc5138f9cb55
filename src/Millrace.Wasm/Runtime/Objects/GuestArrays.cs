using System.Runtime.CompilerServices;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Runtime.Objects;

/// <summary>Array instructions. Types were checked by the validator; null and ranges are checked here.</summary>
static class GuestArrays
{
    // Two headers, type, length, reference to the elements, length of those.
    const int HeaderBytes = 56;

    // From here on the limit is asked before .NET is.
    const int LargeBytes = 64 * 1024;

    public static object New<T>(Instance instance, int slot, T value, int length)
        where T : struct
    {
        var made = Allocate<T>(instance.ObjectTypes[slot], length);
        LongRuns.Fill(instance.Store, made.Items.AsSpan(), value);
        return made;
    }

    public static object NewOfReferences(Instance instance, int slot, object? value, int length) =>
        New(instance, slot, new ReferenceSlot { Value = value }, length);

    public static object NewDefault<T>(Instance instance, int slot, int length)
        where T : struct =>
        Allocate<T>(instance.ObjectTypes[slot], length);

    public static object NewFromData<T>(Instance instance, int slot, int segment, int from, int count)
        where T : struct
    {
        var bytes = Data(instance, segment, from, count, Unsafe.SizeOf<T>());
        var made = Allocate<T>(instance.ObjectTypes[slot], count);
        made.Read(0, bytes);
        return made;
    }

    public static object NewFromElements(Instance instance, int slot, int segment, int from, int count)
    {
        var elements = Elements(instance, segment, from, count);
        var made = Allocate<ReferenceSlot>(instance.ObjectTypes[slot], count);
        Copy(instance.Store, elements, made.Items);
        return made;
    }

    public static void Fill<T>(object? array, int at, T value, int count)
        where T : struct
    {
        if (array is null) Traps.NullReference();
        CheckRange(Unsafe.As<GuestArray>(array), at, count);
        var target = Unsafe.As<GuestArray<T>>(array);
        LongRuns.Fill(target.Type.Heap!.Store, target.Items.AsSpan(at, count), value);
    }

    public static void FillWithReference(object? array, int at, object? value, int count) =>
        Fill(array, at, new ReferenceSlot { Value = value }, count);

    public static void Copy(object? array, int at, object? source, int from, int count)
    {
        if (array is null || source is null) Traps.NullReference();
        var (target, origin) = (Unsafe.As<GuestArray>(array), Unsafe.As<GuestArray>(source));
        CheckRange(target, at, count);
        CheckRange(origin, from, count);
        target.Copy(at, origin, from, count);
    }

    public static void InitData(Instance instance, int segment, object? array, int at, int from, int count)
    {
        if (array is null) Traps.NullReference();
        var target = Unsafe.As<GuestArray>(array);
        CheckRange(target, at, count);
        target.Read(at, Data(instance, segment, from, count, target.ElementBytes));
    }

    public static void InitElements(Instance instance, int segment, object? array, int at, int from, int count)
    {
        if (array is null) Traps.NullReference();
        CheckRange(Unsafe.As<GuestArray>(array), at, count);
        var elements = Elements(instance, segment, from, count);
        Copy(instance.Store, elements, Unsafe.As<GuestArray<ReferenceSlot>>(array).Items.AsSpan(at));
    }

    public static GuestArray<T> Allocate<T>(GuestType type, int length)
        where T : struct
    {
        var bytes = HeaderBytes + (uint)length * (long)Unsafe.SizeOf<T>();
        var items = bytes < LargeBytes ? new T[length] : NewLarge<T>(type, (uint)length, bytes);
        var made = new GuestArray<T>(type, items);
        type.Heap!.Charge(made, bytes);
        return made;
    }

    static T[] NewLarge<T>(GuestType type, uint length, long bytes)
    {
        type.Heap!.CheckRoom(bytes);
        if (length > (uint)Array.MaxLength) Traps.OutOfMemory();
        try
        {
            return new T[length];
        }
        catch (OutOfMemoryException)
        {
            throw new TrapException(TrapCode.OutOfMemory);
        }
    }

    static void Copy(Store store, ReadOnlySpan<object?> elements, Span<ReferenceSlot> target)
    {
        for (var i = 0; i < elements.Length; i++)
        {
            if (i % LongRuns.Part<ReferenceSlot>() == 0) LongRuns.Check(store);
            target[i].Value = elements[i];
        }
    }

    static void CheckRange(GuestArray array, int at, int count)
    {
        var isOutside = (ulong)(uint)at + (uint)count > (uint)array.Length;
        if (isOutside && !array.Type.Heap!.Store.Lacks(SafetyCheck.ArrayRanges)) Traps.OutOfBoundsArrayAccess();
    }

    static ReadOnlySpan<byte> Data(Instance instance, int segment, int from, int count, int elementBytes)
    {
        var bytes = (ulong)(uint)count * (uint)elementBytes;
        var content = instance.DroppedData[segment] ? default : instance.Module.Definition.Data[segment].Content;
        if ((uint)from + bytes > (uint)content.Length && !instance.Store.Lacks(SafetyCheck.SegmentBounds))
            Traps.OutOfBoundsMemoryAccess();
        return instance.Module.Definition.Bytes.Span.Slice(content.Start + from, (int)bytes);
    }

    static ReadOnlySpan<object?> Elements(Instance instance, int segment, int from, int count)
    {
        var elements = instance.Elements[segment] ?? [];
        if ((ulong)(uint)from + (uint)count > (uint)elements.Length && !instance.Store.Lacks(SafetyCheck.SegmentBounds))
            Traps.OutOfBoundsTableAccess();
        return elements.AsSpan(from, count);
    }
}
