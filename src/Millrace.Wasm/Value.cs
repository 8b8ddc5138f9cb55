using System.Runtime.Intrinsics;
using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm;

/// <summary>A wasm value at the border between host and guest: 16 bytes of bits, or a reference.</summary>
public readonly struct Value
{
    readonly Vector128<ulong> _bits;
    readonly object? _reference;

    Value(Vector128<ulong> bits, object? reference) => (_bits, _reference) = (bits, reference);

    /// <summary>An <c>i32</c>.</summary>
    public static Value From(int value) => new(Vector128.CreateScalar((ulong)(uint)value), null);
    /// <summary>An <c>i64</c>.</summary>
    public static Value From(long value) => new(Vector128.CreateScalar((ulong)value), null);
    /// <summary>An <c>f32</c>; the bits are kept, signalling NaNs included.</summary>
    public static Value From(float value) => From(BitConverter.SingleToInt32Bits(value));
    /// <summary>An <c>f64</c>; the bits are kept, signalling NaNs included.</summary>
    public static Value From(double value) => From(BitConverter.DoubleToInt64Bits(value));
    /// <summary>A <c>v128</c>.</summary>
    public static Value From(Vector128<byte> value) => new(value.AsUInt64(), null);
    /// <summary>An <c>i31</c>: the lower 31 bits of a number, as a reference.</summary>
    public static Value FromI31(int value) => FromReference(GuestI31.OfHost(value << 1 >> 1));
    /// <summary>A reference: a <see cref="Function"/>, a <see cref="GuestObject"/>, any host object as externref or
    /// anyref, or null.</summary>
    public static Value FromReference(object? reference) => new(default, reference);

    /// <summary>The value as <c>i32</c>.</summary>
    public int AsI32 => (int)_bits.GetElement(0);
    /// <summary>The value as <c>i64</c>.</summary>
    public long AsI64 => (long)_bits.GetElement(0);
    /// <summary>The value as <c>f32</c>.</summary>
    public float AsF32 => BitConverter.Int32BitsToSingle(AsI32);
    /// <summary>The value as <c>f64</c>.</summary>
    public double AsF64 => BitConverter.Int64BitsToDouble(AsI64);
    /// <summary>The value as <c>v128</c>.</summary>
    public Vector128<byte> AsV128 => _bits.AsByte();
    /// <summary>The value as a reference; null for <c>ref.null</c>.</summary>
    public object? AsReference => _reference;
}
