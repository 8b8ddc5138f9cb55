using System.Collections.Immutable;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>The types of one module, with their numbers in a <see cref="TypeCanonicalizer"/>.</summary>
sealed class ModuleTypes(ModuleDefinition module, TypeCanonicalizer canonicalizer)
{
    readonly int[] _ids = canonicalizer.Add(module.Types);

    /// <summary>A type's number: the same for equivalent types of all modules of the canonicalizer.</summary>
    public int IdOf(int typeIndex) => _ids[typeIndex];

    /// <summary>A value type with type numbers instead of this module's indices.</summary>
    public ValueType Canonical(ValueType type) => TypeCanonicalizer.Canonical(type, _ids);

    /// <summary>A function type with type numbers instead of this module's indices.</summary>
    public FunctionType Canonical(FunctionType type) =>
        NamesTypes(type.Parameters) || NamesTypes(type.Results)
            ? new([.. type.Parameters.Select(Canonical)], [.. type.Results.Select(Canonical)])
            : type;

    static bool NamesTypes(ImmutableArray<ValueType> types)
    {
        for (var i = 0; i < types.Length; i++)
            if (types[i] is { Kind: ValueKind.Ref, Heap: HeapKind.Defined }) return true;
        return false;
    }

    /// <summary>Whether the one type is a subtype of the other; both by index in this module.</summary>
    public bool IsSubtype(int sub, int super) => canonicalizer.IsSubtype(_ids[sub], _ids[super]);

    /// <summary>Whether a value of the one type is a value of the other; both in this module's indices.</summary>
    public bool Matches(ValueType sub, ValueType super) =>
        sub == super
        || (sub.Kind == ValueKind.Ref && super.Kind == ValueKind.Ref
            ? canonicalizer.Matches(Canonical(sub), Canonical(super))
            : sub.Kind == ValueKind.Bottom);

    /// <summary>As <see cref="Matches(ValueType, ValueType)"/>, type by type.</summary>
    public bool Matches(ReadOnlySpan<ValueType> subs, ReadOnlySpan<ValueType> supers)
    {
        if (subs.Length != supers.Length) return false;
        for (var i = 0; i < subs.Length; i++)
        {
            if (!Matches(subs[i], supers[i])) return false;
        }
        return true;
    }

    /// <summary>Whether a field may stand for the other (core 3.3.5): mutable ones must be equal.</summary>
    public bool Matches(FieldType sub, FieldType super) =>
        sub.IsMutable == super.IsMutable && sub.Packing == super.Packing && Matches(sub.Type, super.Type)
        && (!sub.IsMutable || Matches(super.Type, sub.Type));
}
