using System.Runtime.CompilerServices;

namespace Millrace.Wasm.Runtime.Objects;

/// <summary>
/// What <c>ref.test</c> and its kin ask, in a form that the JIT puts in place. A key is a constant of the code: in its
/// lower half a type's number or a <see cref="HeapKind"/>, above it the depth of the type, and negative where null
/// passes too (<see cref="Key"/>). "Known" is a reference that by its type is an object or null.
/// </summary>
static class Casts
{
    const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static long Key(int number, int depth, bool isNullable) =>
        (uint)number | (long)depth << 32 | (isNullable ? long.MinValue : 0);

    /// <summary>Objects of a type that has no subtypes.</summary>
    [MethodImpl(Inline)]
    public static bool IsExact(object? value, long key) =>
        value is GuestObject made ? made.Type.Id == (int)key : key < 0 && value is null;

    [MethodImpl(Inline)]
    public static bool IsKnownExact(object? value, long key) =>
        value is not null ? Unsafe.As<GuestObject>(value).Type.Id == (int)key : key < 0;

    /// <summary>Objects of a type that may have subtypes.</summary>
    [MethodImpl(Inline)]
    public static bool IsOf(object? value, long key) =>
        value is GuestObject made ? Has(made.Type, key) : key < 0 && value is null;

    [MethodImpl(Inline)]
    public static bool IsKnownOf(object? value, long key) =>
        value is not null ? Has(Unsafe.As<GuestObject>(value).Type, key) : key < 0;

    /// <summary>Structs, arrays or i31.</summary>
    [MethodImpl(Inline)]
    public static bool IsKind(object? value, long key) =>
        value is GuestObject made ? made.Type.Kind == (HeapKind)(int)key : key < 0 && value is null;

    [MethodImpl(Inline)]
    public static bool IsKnownKind(object? value, long key) =>
        value is not null ? Unsafe.As<GuestObject>(value).Type.Kind == (HeapKind)(int)key : key < 0;

    /// <summary>Objects of any kind: what is in <c>any</c> beside them is the host's.</summary>
    [MethodImpl(Inline)]
    public static bool IsObject(object? value, long key) => value is GuestObject || (key < 0 && value is null);

    /// <summary>Functions; the reference is one by its type, or null.</summary>
    [MethodImpl(Inline)]
    public static bool IsFunction(object? value, long key) => value is null
        ? key < 0
        : Unsafe.As<Function>(value).SignatureId == (int)key || IsFunctionBelow(Unsafe.As<Function>(value), key);

    /// <summary><c>ref.eq</c></summary>
    [MethodImpl(Inline)]
    public static bool IsSame(object? left, object? right) =>
        left == right || (left is GuestI31 one && right is GuestI31 other && one.Number == other.Number);

    static bool IsFunctionBelow(Function function, long key) =>
        References.FunctionHasType(function, (int)key, Depth(key));

    [MethodImpl(Inline)]
    static bool Has(GuestType type, long key) => type.Id == (int)key || IsBelow(type.Lineage, key);

    static bool IsBelow(int[] lineage, long key) =>
        (uint)Depth(key) < (uint)lineage.Length && lineage[Depth(key)] == (int)key;

    static int Depth(long key) => (int)(key >> 32) & 0xFF;
}
