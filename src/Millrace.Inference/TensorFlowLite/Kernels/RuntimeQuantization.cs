namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Reals that are quantized when they are seen, for weights that are stored in 8 bits.</summary>
static class RuntimeQuantization
{
    /// <summary>Each row by itself.</summary>
    public static void Rows(ReadOnlySpan<float> x, int depth, bool isAsymmetric, Span<short> steps, Span<float> scales)
    {
        for (var row = 0; row < scales.Length; row++)
        {
            var from = x.Slice(row * depth, depth);
            var into = steps.Slice(row * depth, depth);
            scales[row] = isAsymmetric ? Asymmetric(from, into) : Symmetric(from, into);
        }
    }

    /// <summary>Steps around a zero point of their own, which is taken off again. Gives the scale.</summary>
    public static float Asymmetric(ReadOnlySpan<float> x, Span<short> steps)
    {
        const int Low = sbyte.MinValue;
        const int High = sbyte.MaxValue;
        var (min, max) = Bounds(x);
        min = Math.Min(0, min);
        max = Math.Max(0, max);
        if (min == max)
        {
            steps.Clear();
            return 1;
        }

        var scale = ((double)max - min) / (High - Low);
        // Of the zero points that either end asks for, the one with the smaller error.
        var fromMin = Low - min / scale;
        var fromMax = High - max / scale;
        var isMinBetter = Math.Abs(Low) + Math.Abs(min / scale) < Math.Abs(High) + Math.Abs(max / scale);
        var zero = (int)Math.Clamp(Math.Round(isMinBetter ? fromMin : fromMax, MidpointRounding.AwayFromZero), Low, High);
        var inverse = 1f / (float)scale;
        for (var i = 0; i < x.Length; i++)
        {
            var step = MathF.Round(zero + x[i] * inverse, MidpointRounding.AwayFromZero);
            steps[i] = (short)((int)Math.Clamp(step, Low, High) - zero);
        }

        return (float)scale;
    }

    /// <summary>Steps around zero. Gives the scale.</summary>
    public static float Symmetric(ReadOnlySpan<float> x, Span<short> steps)
    {
        const int High = sbyte.MaxValue;
        var (min, max) = Bounds(x);
        var range = Math.Max(Math.Abs(min), Math.Abs(max));
        if (range == 0)
        {
            steps.Clear();
            return 1;
        }

        var inverse = High / range;
        for (var i = 0; i < x.Length; i++)
            steps[i] = (short)Math.Clamp(MathF.Round(x[i] * inverse, MidpointRounding.AwayFromZero), -High, High);
        return range / High;
    }

    static (float Min, float Max) Bounds(ReadOnlySpan<float> x)
    {
        if (x.IsEmpty) return default;
        var (min, max) = (x[0], x[0]);
        foreach (var value in x)
        {
            min = Math.Min(min, value);
            max = Math.Max(max, value);
        }

        return float.IsFinite(min) && float.IsFinite(max) ? (min, max) : throw new ArgumentException("a real that is not finite");
    }
}
