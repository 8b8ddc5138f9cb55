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
        if (!Is(store, type, reference))
            throw new ArgumentException($"{(reference is null ? "null" : $"a {reference.GetType().Name}")} is no {type}");
    }

    /// <summary>Whether a function has that type or one below it; at that depth its lineage must name it.</summary>
    public static int FunctionHasType(Function function, int id, int depth)
    {
        var lineage = function.Signature.Lineage;
        return depth < lineage.Length && lineage[depth] == id ? 1 : 0;
    }

    static bool Is(Store store, ValueType type, object? reference) => reference is null
        ? type.IsNullable
        : type.Heap switch
        {
            HeapKind.Extern => reference is not ExceptionInstance,
            HeapKind.Exn => reference is ExceptionInstance,
            HeapKind.Func => reference is Function,
            HeapKind.Defined => reference is Function function
                && store.Engine.Types.IsSubtype(function.SignatureId, type.TypeIndex),
            _ => false,
        };
}
