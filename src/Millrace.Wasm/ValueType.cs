namespace Millrace.Wasm;

/// <summary>The abstract heap types of the core specification (3.0, section 2.3.3).</summary>
public enum HeapKind : byte
{
    /// <summary>A defined type, named by its index.</summary>
    Defined,
    /// <summary><c>func</c></summary>
    Func,
    /// <summary><c>nofunc</c></summary>
    NoFunc,
    /// <summary><c>extern</c></summary>
    Extern,
    /// <summary><c>noextern</c></summary>
    NoExtern,
    /// <summary><c>any</c></summary>
    Any,
    /// <summary><c>eq</c></summary>
    Eq,
    /// <summary><c>i31</c></summary>
    I31,
    /// <summary><c>struct</c></summary>
    Struct,
    /// <summary><c>array</c></summary>
    Array,
    /// <summary><c>none</c></summary>
    None,
    /// <summary><c>exn</c></summary>
    Exn,
    /// <summary><c>noexn</c></summary>
    NoExn,
}

/// <summary>What a value type is before its reference details.</summary>
public enum ValueKind : byte
{
    /// <summary>The bottom type of unreachable code; never in a module.</summary>
    Bottom,
    /// <summary><c>i32</c></summary>
    I32,
    /// <summary><c>i64</c></summary>
    I64,
    /// <summary><c>f32</c></summary>
    F32,
    /// <summary><c>f64</c></summary>
    F64,
    /// <summary><c>v128</c></summary>
    V128,
    /// <summary>A reference; see <see cref="ValueType.Heap"/>.</summary>
    Ref,
}

/// <summary>A value type (core specification, section 2.3.5).</summary>
/// <param name="Kind">Number, vector or reference.</param>
/// <param name="IsNullable">For references: whether null belongs to the type.</param>
/// <param name="Heap">For references: the heap type.</param>
/// <param name="TypeIndex">For <see cref="HeapKind.Defined"/>: the type's number in its engine, which is the same for
/// equal types of all modules. (Inside a module's own definition: the index in its type section.)</param>
public readonly record struct ValueType(ValueKind Kind, bool IsNullable, HeapKind Heap, int TypeIndex)
{
    /// <summary><c>i32</c></summary>
    public static readonly ValueType I32 = new(ValueKind.I32, false, default, 0);
    /// <summary><c>i64</c></summary>
    public static readonly ValueType I64 = new(ValueKind.I64, false, default, 0);
    /// <summary><c>f32</c></summary>
    public static readonly ValueType F32 = new(ValueKind.F32, false, default, 0);
    /// <summary><c>f64</c></summary>
    public static readonly ValueType F64 = new(ValueKind.F64, false, default, 0);
    /// <summary><c>v128</c></summary>
    public static readonly ValueType V128 = new(ValueKind.V128, false, default, 0);
    /// <summary><c>funcref</c></summary>
    public static readonly ValueType FuncRef = new(ValueKind.Ref, true, HeapKind.Func, 0);
    /// <summary><c>externref</c></summary>
    public static readonly ValueType ExternRef = new(ValueKind.Ref, true, HeapKind.Extern, 0);

    /// <inheritdoc/>
    public bool Equals(ValueType other) => Kind == other.Kind && IsNullable == other.IsNullable
        && Heap == other.Heap && TypeIndex == other.TypeIndex;

    /// <inheritdoc/>
    public override int GetHashCode() =>
        (TypeIndex * 0x9E3779B) ^ ((int)Kind | ((int)Heap << 8) | (IsNullable ? 1 << 16 : 0));

    /// <summary>A reference to an abstract heap type.</summary>
    public static ValueType Reference(HeapKind heap, bool isNullable) => new(ValueKind.Ref, isNullable, heap, 0);

    /// <summary>A reference to a defined type.</summary>
    public static ValueType Reference(int typeIndex, bool isNullable) =>
        new(ValueKind.Ref, isNullable, HeapKind.Defined, typeIndex);

    /// <summary>The type in the text format's words: <c>i32</c>, <c>funcref</c>, <c>(ref null 3)</c>.</summary>
    public override string ToString() => this switch
    {
        { Kind: not ValueKind.Ref } => Kind.ToString().ToLowerInvariant(),
        { IsNullable: true, Heap: HeapKind.Func } => "funcref",
        { IsNullable: true, Heap: HeapKind.Extern } => "externref",
        _ => $"(ref {(IsNullable ? "null " : "")}{HeapText})",
    };

    string HeapText => Heap == HeapKind.Defined
        ? TypeIndex.ToString(System.Globalization.CultureInfo.InvariantCulture)
        : Heap.ToString().ToLowerInvariant();
}
