using System.Runtime.Intrinsics;
using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm;

/// <summary>A wasm value at the border between host and guest: 16 bytes of bits, or a reference.</summary>
public readonly struct Value
{
    // Two numbers, not a vector: methods that pass a struct with one on are in no precompiled image.
    readonly ulong _low;
    readonly ulong _high;
    readonly object? _reference;

    Value(ulong low, ulong high, object? reference) => (_low, _high, _reference) = (low, high, reference);

    /// <summary>An <c>i32</c>.</summary>
    public static Value From(int value) => new((uint)value, 0, null);
    /// <summary>An <c>i64</c>.</summary>
    public static Value From(long value) => new((ulong)value, 0, null);
    /// <summary>An <c>f32</c>; the bits are kept, signalling NaNs included.</summary>
    public static Value From(float value) => From(BitConverter.SingleToInt32Bits(value));
    /// <summary>An <c>f64</c>; the bits are kept, signalling NaNs included.</summary>
    public static Value From(double value) => From(BitConverter.DoubleToInt64Bits(value));
    /// <summary>A <c>v128</c>.</summary>
    public static Value From(Vector128<byte> value) => new(value.AsUInt64()[0], value.AsUInt64()[1], null);
    /// <summary>An <c>i31</c>: the lower 31 bits of a number, as a reference.</summary>
    public static Value FromI31(int value) => FromReference(GuestI31.OfHost(value << 1 >> 1));
    /// <summary>A reference: a <see cref="Function"/>, a <see cref="GuestObject"/>, any host object as externref or
    /// anyref, or null.</summary>
    public static Value FromReference(object? reference) => new(0, 0, reference);

    /// <summary>The value as <c>i32</c>.</summary>
    public int AsI32 => (int)_low;
    /// <summary>The value as <c>i64</c>.</summary>
    public long AsI64 => (long)_low;
    /// <summary>The value as <c>f32</c>.</summary>
    public float AsF32 => BitConverter.Int32BitsToSingle(AsI32);
    /// <summary>The value as <c>f64</c>.</summary>
    public double AsF64 => BitConverter.Int64BitsToDouble(AsI64);
    /// <summary>The value as <c>v128</c>.</summary>
    public Vector128<byte> AsV128 => Vector128.Create(_low, _high).AsByte();
    /// <summary>The bits of the widest value, for a cell that has room for it.</summary>
    internal unsafe void Store(byte* cell) => (((ulong*)cell)[0], ((ulong*)cell)[1]) = (_low, _high);

    /// <summary>The value as a reference; null for <c>ref.null</c>.</summary>
    public object? AsReference => _reference;
}
