using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// Table instructions, and those on references that need the instance. Indexes and counts are unsigned; those of 32
/// bits come zero-extended.
/// </summary>
static class GuestTables
{
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

    public static void Fill(Instance instance, int table, long index, object? value, long count) =>
        LongRuns.Fill(instance.Store, Range(instance.Tables[table], index, count), value);

    public static void Copy(Instance instance, int targetTable, int sourceTable, long target, long source, long count)
    {
        var to = Range(instance.Tables[targetTable], target, count);
        var from = Range(instance.Tables[sourceTable], source, count);
        LongRuns.Copy<object?>(instance.Store, from, to);
    }

    public static void Init(Instance instance, int table, int segment, long target, int source, int count)
    {
        var elements = instance.Elements[segment] ?? [];
        var to = Range(instance.Tables[table], target, (uint)count);
        if ((ulong)(uint)source + (uint)count > (uint)elements.Length && !instance.Store.Lacks(SafetyCheck.SegmentBounds))
            Traps.OutOfBoundsTableAccess();
        LongRuns.Copy(instance.Store, elements.AsSpan(source, count), to);
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
