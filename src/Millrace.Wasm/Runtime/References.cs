namespace Millrace.Wasm.Runtime;

/// <summary>What references are, asked at the border to the host, where nothing is known of them.</summary>
static class References
{
    /// <summary>Refuses what does not belong into a place of that type in a store.</summary>
    /// <exception cref="ArgumentException">It has another type, or belongs to another store.</exception>
    public static void Check(Store store, ValueType type, object? reference)
    {
        if (reference is Function function && function.Store != store)
            throw new ArgumentException("the function belongs to another store");
        if (reference is ExceptionInstance exception && exception.Tag.Store != store)
            throw new ArgumentException("the exception belongs to another store");
        if (reference is GuestObject { Type.Heap: { } heap } && heap.Store != store)
            throw new ArgumentException("the object belongs to another store");
        if (!Is(store, type, reference))
        {
            var what = reference is null ? "null" : $"a {reference.GetType().Name}";
            throw new ArgumentException($"{what} is no {type}");
        }
    }

    /// <summary>Whether a function has that type or one below it; at that depth its lineage must name it.</summary>
    public static bool FunctionHasType(Function function, int id, int depth)
    {
        var lineage = function.Signature.Lineage;
        return depth < lineage.Length && lineage[depth] == id;
    }

    static int? NumberOf(object reference) => reference switch
    {
        Function function => function.SignatureId,
        GuestObject { Kind: not HeapKind.I31 } made => made.Type.Id,
        _ => null,
    };

    static bool Is(Store store, ValueType type, object? reference) => reference is null
        ? type.IsNullable
        : type.Heap switch
        {
            HeapKind.Extern => reference is not ExceptionInstance,
            HeapKind.Exn => reference is ExceptionInstance,
            HeapKind.Func => reference is Function,
            HeapKind.Any => reference is not (Function or ExceptionInstance),
            HeapKind.Eq => reference is GuestObject,
            HeapKind.I31 or HeapKind.Struct or HeapKind.Array =>
                reference is GuestObject made && made.Kind == type.Heap,
            HeapKind.Defined => NumberOf(reference) is { } id && store.Engine.Types.IsSubtype(id, type.TypeIndex),
            _ => false,
        };
}
