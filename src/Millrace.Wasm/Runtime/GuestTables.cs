using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// Table instructions, and those on references that need the instance. Indexes and counts are unsigned; those of 32
/// bits come zero-extended.
/// </summary>
static class GuestTables
{
    // Large copies and fills come in parts, so that an interrupt does not wait for millions of elements.
    const int Part = 1 << 16;

    public static object? Get(Instance instance, int table, long index)
    {
        var target = instance.Tables[table];
        if ((ulong)index >= (ulong)target.Length) Outside(target);
        return target.Elements[index];
    }

    public static void Set(Instance instance, int table, long index, object? value)
    {
        var target = instance.Tables[table];
        if ((ulong)index >= (ulong)target.Length) Outside(target);
        target.Elements[index] = value;
    }

    public static int Size(Instance instance, int table) => instance.Tables[table].Length;

    public static int Grow(Instance instance, int table, object? value, long count) =>
        instance.Tables[table].TryGrow(count, value);

    public static void Fill(Instance instance, int table, long index, object? value, long count)
    {
        var target = Range(instance.Tables[table], index, count);
        for (var done = 0; done < target.Length; done += Part)
        {
            if (done != 0) CheckInterrupt(instance);
            target.Slice(done, Math.Min(Part, target.Length - done)).Fill(value);
        }
    }

    public static void Copy(Instance instance, int targetTable, int sourceTable, long target, long source, long count)
    {
        var to = Range(instance.Tables[targetTable], target, count);
        var from = Range(instance.Tables[sourceTable], source, count);
        // Within one table the end that the other range covers comes first.
        if (target > source) CopyDown(instance, from, to);
        else CopyUp(instance, from, to);
    }

    public static void Init(Instance instance, int table, int segment, long target, int source, int count)
    {
        var elements = instance.Elements[segment] ?? [];
        var to = Range(instance.Tables[table], target, (uint)count);
        if ((ulong)(uint)source + (uint)count > (uint)elements.Length && !instance.Store.Lacks(SafetyCheck.SegmentBounds))
            Traps.OutOfBoundsTableAccess();
        CopyUp(instance, elements.AsSpan(source, count), to);
    }

    static void CopyUp(Instance instance, ReadOnlySpan<object?> from, Span<object?> to)
    {
        for (var done = 0; done < from.Length; done += Part)
        {
            if (done != 0) CheckInterrupt(instance);
            from.Slice(done, Math.Min(Part, from.Length - done)).CopyTo(to[done..]);
        }
    }

    static void CopyDown(Instance instance, ReadOnlySpan<object?> from, Span<object?> to)
    {
        for (var left = from.Length; left > 0;)
        {
            if (left != from.Length) CheckInterrupt(instance);
            var part = Math.Min(Part, left);
            left -= part;
            from.Slice(left, part).CopyTo(to[left..]);
        }
    }

    static void CheckInterrupt(Instance instance)
    {
        if (Volatile.Read(ref instance.InterruptRequest) != 0) Traps.Throw((int)TrapCode.Interrupted);
    }

    public static void DropElements(Instance instance, int segment)
    {
        instance.Store.TryChargeElements(-(instance.Elements[segment]?.Length ?? 0));
        instance.Elements[segment] = null;
    }

    public static object FunctionReference(Instance instance, int index) => instance.FunctionAt(index);

    // The sum of index and count may be more than 64 bits hold.
    static Span<object?> Range(Table table, long index, long count)
    {
        var end = (ulong)table.Length;
        if ((ulong)index > end || (ulong)count > end - (ulong)index) Outside(table);
        return table.Elements.AsSpan((int)index, (int)count);
    }

    static void Outside(Table table)
    {
        if (!table.Store.Lacks(SafetyCheck.TableBounds)) Traps.OutOfBoundsTableAccess();
    }
}
