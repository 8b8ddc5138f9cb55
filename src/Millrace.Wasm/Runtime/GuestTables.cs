namespace Millrace.Wasm.Runtime;

/// <summary>Table instructions, and those on references that need the instance.</summary>
static class GuestTables
{
    public static object? Get(Instance instance, int table, int index)
    {
        var target = instance.Tables[table];
        if ((uint)index >= (uint)target.Length) Traps.OutOfBoundsTableAccess();
        return target.Elements[index];
    }

    public static void Set(Instance instance, int table, int index, object? value)
    {
        var target = instance.Tables[table];
        if ((uint)index >= (uint)target.Length) Traps.OutOfBoundsTableAccess();
        target.Elements[index] = value;
    }

    public static int Size(Instance instance, int table) => instance.Tables[table].Length;

    public static int Grow(Instance instance, int table, object? value, int count) =>
        instance.Tables[table].TryGrow((uint)count, value);

    public static void Fill(Instance instance, int table, int index, object? value, int count) =>
        Range(instance.Tables[table], index, count).Fill(value);

    public static void Copy(Instance instance, int targetTable, int sourceTable, int target, int source, int count)
    {
        var to = Range(instance.Tables[targetTable], target, count);
        Range(instance.Tables[sourceTable], source, count).CopyTo(to);
    }

    public static void Init(Instance instance, int table, int segment, int target, int source, int count)
    {
        var elements = instance.Elements[segment] ?? [];
        var to = Range(instance.Tables[table], target, count);
        if ((ulong)(uint)source + (uint)count > (uint)elements.Length) Traps.OutOfBoundsTableAccess();
        elements.AsSpan(source, count).CopyTo(to);
    }

    public static void DropElements(Instance instance, int segment)
    {
        instance.Store.TryChargeElements(-(instance.Elements[segment]?.Length ?? 0));
        instance.Elements[segment] = null;
    }

    public static object FunctionReference(Instance instance, int index) => instance.FunctionAt(index);

    static Span<object?> Range(Table table, int index, int count)
    {
        if ((ulong)(uint)index + (uint)count > (uint)table.Length) Traps.OutOfBoundsTableAccess();
        return table.Elements.AsSpan(index, count);
    }
}
