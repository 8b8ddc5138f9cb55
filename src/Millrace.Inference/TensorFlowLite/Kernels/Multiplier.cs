namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>A real factor as 31 bits and a power of two: what integer kernels scale their sums with.</summary>
/// <param name="Value">In [2^30, 2^31), or 0.</param>
/// <param name="Shift">To the left where positive.</param>
readonly record struct Multiplier(int Value, int Shift)
{
    public static Multiplier Of(double real)
    {
        if (real == 0 || !double.IsFinite(real)) return default;
        var exponent = Math.ILogB(real) + 1;
        var bits = (long)Math.Round(Math.ScaleB(real, 31 - exponent), MidpointRounding.AwayFromZero);
        if (bits == 1L << 31)
        {
            bits /= 2;
            exponent++;
        }

        // Too small to move any sum of 32 bits.
        return exponent < -31 ? default : new Multiplier((int)bits, exponent);
    }

    /// <summary>Rounded twice, as the reference does: the high half of the product first, then the shift.</summary>
    public int Apply(int x) => Shift > 0
        ? FixedPoint.HighMultiply(unchecked(x << Shift), Value)
        : FixedPoint.DivideByPowerOfTwo(FixedPoint.HighMultiply(x, Value), -Shift);

    /// <summary>Of a 48-bit sum, with 16 bits of the factor and rounded once.</summary>
    public int ApplyReduced(long x)
    {
        var reduced = Value < 0x7FFF0000 ? (Value + (1 << 15)) >> 16 : 0x7FFF;
        var shift = 15 - Shift;
        return unchecked((int)((x * reduced + (1L << (shift - 1))) >> shift));
    }
}
