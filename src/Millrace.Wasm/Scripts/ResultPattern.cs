using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.Intrinsics;

namespace Millrace.Wasm.Scripts;

/// <summary>What a result may be.</summary>
abstract record ResultPattern
{
    /// <summary>Whether a result of a declared type is one that the pattern means.</summary>
    public abstract bool Matches(Value value, ValueType type);
}

/// <summary>How the bits of a float are compared.</summary>
enum NanPattern
{
    /// <summary>Bit for bit.</summary>
    Exact,
    /// <summary>The one payload, either sign.</summary>
    Canonical,
    /// <summary>Any payload with the quiet bit set.</summary>
    Arithmetic,
}

/// <summary>One number, or one lane of a vector.</summary>
/// <param name="Bits">Expected bits, where compared exactly.</param>
/// <param name="Width">Bits of the number.</param>
/// <param name="Nan">How it is compared.</param>
readonly record struct LanePattern(ulong Bits, int Width, NanPattern Nan)
{
    public bool Matches(ulong bits)
    {
        var fraction = Width == 32 ? 23 : 52;
        var quiet = 1ul << (fraction - 1);
        var exponent = (Width == 32 ? 0xFFul : 0x7FF) << fraction;
        return Nan switch
        {
            NanPattern.Canonical => (bits & ~(1ul << (Width - 1))) == (exponent | quiet),
            NanPattern.Arithmetic => (bits & (exponent | quiet)) == (exponent | quiet),
            _ => bits == Bits,
        };
    }

    public override string ToString() => Nan switch
    {
        NanPattern.Canonical => "nan:canonical",
        NanPattern.Arithmetic => "nan:arithmetic",
        _ => "0x" + Bits.ToString("x", CultureInfo.InvariantCulture),
    };
}

/// <summary>A number.</summary>
sealed record NumberPattern(ValueType Type, LanePattern Lane) : ResultPattern
{
    public override bool Matches(Value value, ValueType type) =>
        type == Type && Lane.Matches(Lane.Width == 32 ? (uint)value.AsI32 : (ulong)value.AsI64);

    public override string ToString() => $"({Type}.const {Lane})";
}

/// <summary>A vector, lane by lane.</summary>
sealed record VectorPattern(ImmutableArray<LanePattern> Lanes) : ResultPattern
{
    public override bool Matches(Value value, ValueType type)
    {
        if (type != ValueType.V128) return false;
        for (var lane = 0; lane < Lanes.Length; lane++)
        {
            if (!Lanes[lane].Matches(LaneOf(value.AsV128, lane, Lanes[lane].Width))) return false;
        }

        return true;
    }

    static ulong LaneOf(Vector128<byte> vector, int lane, int width) => width switch
    {
        8 => vector.GetElement(lane),
        16 => vector.AsUInt16().GetElement(lane),
        32 => vector.AsUInt32().GetElement(lane),
        _ => vector.AsUInt64().GetElement(lane),
    };

    public override string ToString() => $"(v128.const {string.Join(' ', Lanes)})";
}

/// <summary>The null reference.</summary>
/// <param name="Heap">A type whose hierarchy the result's type must be of; null for any.</param>
sealed record NullPattern(HeapKind? Heap) : ResultPattern
{
    // Of a defined type only its number is known here, and of null nothing.
    public override bool Matches(Value value, ValueType type) =>
        type.Kind == ValueKind.Ref && value.AsReference is null
        && (Heap is not { } heap || type.Heap == HeapKind.Defined || TopOf(heap) == TopOf(type.Heap));

    public override string ToString() => $"(ref.null {Heap?.ToString().ToLowerInvariant()})";

    static HeapKind TopOf(HeapKind heap) => heap switch
    {
        HeapKind.Func or HeapKind.NoFunc => HeapKind.Func,
        HeapKind.Extern or HeapKind.NoExtern => HeapKind.Extern,
        HeapKind.Exn or HeapKind.NoExn => HeapKind.Exn,
        _ => HeapKind.Any,
    };
}

/// <summary>The host reference of a number.</summary>
sealed record HostPattern(HostReference Reference) : ResultPattern
{
    public override bool Matches(Value value, ValueType type) => Reference.Equals(value.AsReference);

    public override string ToString() => $"(ref.extern {Reference.Number})";
}

/// <summary>Any non-null reference of a kind.</summary>
sealed record KindPattern(HeapKind Heap) : ResultPattern
{
    public override bool Matches(Value value, ValueType type)
    {
        if (type.Kind != ValueKind.Ref || value.AsReference is not { } reference) return false;
        return Heap switch
        {
            HeapKind.Func => reference is Function,
            HeapKind.Extern => type.Heap == HeapKind.Extern,
            HeapKind.Any => reference is GuestObject or HostReference && type.Heap != HeapKind.Extern,
            HeapKind.Eq => reference is GuestObject,
            HeapKind.I31 or HeapKind.Struct or HeapKind.Array => reference is GuestObject made && made.Kind == Heap,
            _ => false,
        };
    }

    public override string ToString() => $"(ref.{Heap.ToString().ToLowerInvariant()})";
}

/// <summary>One of several patterns.</summary>
sealed record EitherPattern(ImmutableArray<ResultPattern> Choices) : ResultPattern
{
    public override bool Matches(Value value, ValueType type)
    {
        foreach (var choice in Choices)
        {
            if (choice.Matches(value, type)) return true;
        }

        return false;
    }

    public override string ToString() => $"(either {string.Join(' ', Choices)})";
}
