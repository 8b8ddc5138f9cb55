namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>The complementary error function, to about 1e-15.</summary>
static class ErrorFunction
{
    public static double Complement(double x)
    {
        if (double.IsNaN(x)) return x;
        var magnitude = Math.Abs(x);
        var tail = magnitude < 2.5 ? 1 - Series(magnitude) : magnitude > 27 ? 0 : Fraction(magnitude);
        return x < 0 ? 2 - tail : tail;
    }

    // erf by its power series: all terms are positive, so nothing cancels.
    static double Series(double x)
    {
        var term = x;
        var sum = x;
        for (var n = 1; n < 100 && term > sum * 1e-17; n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    // The continued fraction of the tail, from its far end.
    static double Fraction(double x)
    {
        var value = x;
        for (var n = 60; n > 0; n--) value = x + n / 2.0 / value;
        return Math.Exp(-x * x) / (Math.Sqrt(Math.PI) * value);
    }
}
