namespace Millrace.Wasm.Runtime.Objects;

/// <summary>The type of objects in one store: what casts look at.</summary>
/// <param name="heap">Where they live; null for <c>i31</c>, which belongs to no store.</param>
/// <param name="id">The type's number in the engine; −1 for <c>i31</c>.</param>
/// <param name="kind">Struct, array or <c>i31</c>.</param>
/// <param name="lineage">Numbers of its supertypes from the root down, its own last.</param>
sealed class GuestType(ObjectHeap? heap, int id, HeapKind kind, int[] lineage)
{
    public static readonly GuestType I31 = new(null, -1, HeapKind.I31, []);

    public readonly int Id = id;
    public readonly int[] Lineage = lineage;
    public readonly HeapKind Kind = kind;

    public ObjectHeap? Heap { get; } = heap;
}
