namespace Millrace.Wasm.Verification;

/// <summary>The declared type of an argument, a local, a parameter or a result.</summary>
enum SlotKind : byte
{
    Void,
    Int32,
    Int64,
    Single,
    Double,
    /// <summary>With lanes of <see cref="SlotType.Of"/>.</summary>
    Vector,
    Native,
    Object,
    Context,
    Function,
    BytePointer,
    LongPointer,
    /// <summary>A table's elements.</summary>
    ObjectArray,
    /// <summary>An array of elements as <see cref="Stored"/> in <see cref="SlotType.Of"/>.</summary>
    Array,
    /// <summary>An element by itself.</summary>
    Slot,
    ValueArray,
    ValueReference,
    /// <summary>A reference to a number, vector or object, as <see cref="SlotType.Of"/> says.</summary>
    Reference,
    Other,
}

/// <summary>How an element or field is stored.</summary>
enum Stored : byte
{
    Byte,
    UInt16,
    Int32,
    Int64,
    Single,
    Double,
    Vector,
    /// <summary>A <see cref="Runtime.Objects.ReferenceSlot"/> in an array, an object in a field.</summary>
    Reference,
}

/// <summary>Types of lanes of vectors.</summary>
static class LaneTypes
{
    public const int Byte = 1;

    /// <summary>By their names in CIL; 0 for what is no lane.</summary>
    public static int Of(string name) => name switch
    {
        "byte" => Byte,
        "sbyte" => 2,
        "short" => 3,
        "ushort" => 4,
        "int" => 5,
        "uint" => 6,
        "long" => 7,
        "ulong" => 8,
        "float" => 9,
        "double" => 10,
        _ => 0,
    };
}

/// <summary>A declared type.</summary>
readonly record struct SlotType(SlotKind Kind, int Of = 0)
{
    public static readonly SlotType Object = new(SlotKind.Object);
    public static readonly SlotType Vector = new(SlotKind.Vector, LaneTypes.Byte);

    public bool IsNumber => Kind is >= SlotKind.Int32 and <= SlotKind.Vector;

    /// <summary>What a value of wasm is in CIL.</summary>
    public static SlotType From(ValueType type) => type.Kind switch
    {
        ValueKind.I32 => new(SlotKind.Int32),
        ValueKind.I64 => new(SlotKind.Int64),
        ValueKind.F32 => new(SlotKind.Single),
        ValueKind.F64 => new(SlotKind.Double),
        ValueKind.V128 => Vector,
        ValueKind.Ref => Object,
        _ => new(SlotKind.Other),
    };

    /// <summary>A type by the name that <see cref="TypeNames"/> gives.</summary>
    public static SlotType Named(string name)
    {
        if (name.StartsWith("v<", StringComparison.Ordinal) && LaneTypes.Of(name[2..^1]) is var lane and not 0)
            return new(SlotKind.Vector, lane);
        return name switch
        {
            "void" => default,
            "bool" or "sbyte" or "byte" or "short" or "ushort" or "int" or "uint" => new(SlotKind.Int32),
            "long" or "ulong" => new(SlotKind.Int64),
            "float" => new(SlotKind.Single),
            "double" => new(SlotKind.Double),
            "nint" or "nuint" => new(SlotKind.Native),
            "object" => Object,
            "byte*" => new(SlotKind.BytePointer),
            "long*" => new(SlotKind.LongPointer),
            "object[]" => new(SlotKind.ObjectArray),
            "~Instance" => new(SlotKind.Context),
            "~Function" => new(SlotKind.Function),
            "~Value[]" => new(SlotKind.ValueArray),
            "~Value&" => new(SlotKind.ValueReference),
            "~Runtime.Objects.ReferenceSlot" => new(SlotKind.Slot),
            _ when name.EndsWith("[]", StringComparison.Ordinal) && StoredAs(name[..^2]) is { } stored =>
                new(SlotKind.Array, (int)stored),
            _ when name.EndsWith('&') && Referred(name[..^1]) is var kind and not SlotKind.Other =>
                new(SlotKind.Reference, (int)kind),
            _ => new(SlotKind.Other),
        };
    }

    /// <summary>How elements of that type are stored; null where there are none.</summary>
    public static Stored? StoredAs(string name) => name switch
    {
        "byte" => Stored.Byte,
        "ushort" => Stored.UInt16,
        "int" => Stored.Int32,
        "long" => Stored.Int64,
        "float" => Stored.Single,
        "double" => Stored.Double,
        "v<byte>" => Stored.Vector,
        "~Runtime.Objects.ReferenceSlot" => Stored.Reference,
        _ => null,
    };

    static SlotKind Referred(string name) => name switch
    {
        "int" => SlotKind.Int32,
        "long" => SlotKind.Int64,
        "float" => SlotKind.Single,
        "double" => SlotKind.Double,
        "v<byte>" => SlotKind.Vector,
        "object" => SlotKind.Object,
        _ => SlotKind.Other,
    };
}
