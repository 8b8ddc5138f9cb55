using System.Numerics;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Whole numbers that stand for fractions, with the rounding of gemmlowp.</summary>
static class FixedPoint
{
    /// <summary>The high half of twice the product, rounded, saturating.</summary>
    public static int HighMultiply(int a, int b)
    {
        if (a == int.MinValue && b == int.MinValue) return int.MaxValue;
        // Truncation after a nudge by sign is a shift after a nudge.
        return (int)(((long)a * b + (1L << 30)) >> 31);
    }

    public static short HighMultiply(short a, short b)
    {
        if (a == short.MinValue && b == short.MinValue) return short.MaxValue;
        var product = a * b;
        return (short)((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
    }

    /// <summary>Rounded to the nearest, halves away from zero.</summary>
    public static int DivideByPowerOfTwo(int x, int exponent)
    {
        var mask = (int)((1L << exponent) - 1);
        var threshold = (mask >> 1) + (x < 0 ? 1 : 0);
        return (x >> exponent) + ((x & mask) > threshold ? 1 : 0);
    }

    /// <summary>To the left, saturating.</summary>
    public static int ShiftLeft(int x, int exponent) => (int)Math.Clamp((long)x << exponent, int.MinValue, int.MaxValue);

    /// <summary>e^x for x &lt;= 0 with the given bits before the point; the result has none before it.</summary>
    public static int Exp(int x, int integerBits)
    {
        var fractionBits = 31 - integerBits;
        var quarter = 1 << (fractionBits - 2);
        var part = (x & (quarter - 1)) - quarter;
        var result = ExpOfQuarter(ShiftLeft(part, integerBits));
        var rest = unchecked(part - x);
        ReadOnlySpan<int> factors = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242];
        for (var i = 0; i < factors.Length; i++)
        {
            var exponent = i - 2;
            if (integerBits > exponent && (rest & (1 << (fractionBits + exponent))) != 0) result = HighMultiply(result, factors[i]);
        }

        return x == 0 ? int.MaxValue : result;
    }

    // e^-1/8 times the series around it.
    static int ExpOfQuarter(int a)
    {
        const int Constant = 1895147668;
        const int Third = 715827883;
        var x = a + (1 << 28);
        var square = HighMultiply(x, x);
        var cube = HighMultiply(square, x);
        var fourth = HighMultiply(square, square);
        var sum = DivideByPowerOfTwo(HighMultiply(DivideByPowerOfTwo(fourth, 2) + cube, Third) + square, 1);
        return (int)Math.Min((long)Constant + HighMultiply(Constant, x + sum), int.MaxValue);
    }

    /// <summary>1 / (1 + x) for x in [0, 1], by three of Newton's steps from 48/17 - 32/17 * half.</summary>
    public static int OneOverOnePlus(int x)
    {
        const int FortyEightSeventeenths = 1515870810;
        const int MinusThirtyTwoSeventeenths = -1010580540;
        var half = (int)(((long)x + int.MaxValue + 1) >> 1);
        var value = FortyEightSeventeenths + HighMultiply(half, MinusThirtyTwoSeventeenths);
        for (var i = 0; i < 3; i++)
        {
            var product = HighMultiply(half, value);
            value += ShiftLeft(HighMultiply(value, (1 << 29) - product), 2);
        }

        return ShiftLeft(value, 1);
    }

    /// <summary>1 / x as a fraction, and how many bits x has before the point above one.</summary>
    public static int Reciprocal(int x, int integerBits, out int bitsOverUnit)
    {
        var leading = BitOperations.LeadingZeroCount((uint)x);
        bitsOverUnit = integerBits - leading;
        return OneOverOnePlus(unchecked((int)(((uint)x << leading) - (1u << 31))));
    }

    /// <summary>log(x) for x >= 1 with 12 bits before the point; the result has 5.</summary>
    public static int Log(int x)
    {
        const int InputBits = 12;
        const int SumBits = 6;
        const int LogTwo = 1488522236;
        const int RootHalf = 1518500250;
        const int RootRootHalf = 1805811301;
        var quarter = DivideByPowerOfTwo(1 << 29, SumBits);

        // x is 2^z r: of the two ways with z half a unit apart, the one that leaves r nearer to the root of the root of 1/2.
        var leading = BitOperations.LeadingZeroCount((uint)x);
        var near = ShiftLeft(HighMultiply(ShiftLeft(x, leading - 1), RootHalf), 1);
        var nearPower = (int)Math.Min((long)ShiftLeft(InputBits - leading, 31 - SumBits) + quarter, int.MaxValue);
        var headroom = BitOperations.LeadingZeroCount((uint)HighMultiply(x, RootHalf)) - 1;
        var far = ShiftLeft(x, headroom);
        var farPower = (int)Math.Max((long)ShiftLeft(InputBits - headroom, 31 - SumBits) - quarter, int.MinValue);
        var r = Math.Min(near, far);
        var power = Math.Max(nearPower, farPower);

        // The logarithm around that point as a quotient of polynomials; the constants carry its scale.
        const int N = 117049297;
        const int D = 127690142;
        const int I = 1057819769;
        const int F = 638450708;
        var sum = (long)r + RootRootHalf;
        var p = (int)((sum + (sum >= 0 ? 1 : -1)) / 2);
        var q = unchecked((r - RootRootHalf) * 2);
        var square = HighMultiply(q, q);
        var numerator = HighMultiply(q, r) + HighMultiply(HighMultiply(q, square), N);
        var denominator = HighMultiply(p, unchecked(I + q + HighMultiply(D, square))) + HighMultiply(F, q);
        var fraction = HighMultiply(DivideByPowerOfTwo(numerator, SumBits), OneOverOnePlus(denominator));
        return ShiftLeft(unchecked(HighMultiply(power, LogTwo) + fraction), 1);
    }

    /// <summary>The inverse of a square root as a factor.</summary>
    public static Multiplier InverseSquareRoot(int x)
    {
        if (x <= 1) return new Multiplier(int.MaxValue, 0);
        var shift = 11;
        while (x >= 1 << 29)
        {
            x /= 4;
            shift++;
        }

        var pairs = ((BitOperations.LeadingZeroCount((uint)x) - 1) / 2) - 1;
        shift -= pairs;
        x <<= 2 * pairs;

        // Five of Newton's steps from one, with three bits before the point.
        const int HalfThree = (1 << 28) + (1 << 27);
        var input = x >> 1;
        var half = DivideByPowerOfTwo(input, 1);
        var root = 1 << 28;
        for (var i = 0; i < 5; i++)
        {
            var cube = ShiftLeft(HighMultiply(HighMultiply(root, root), root), 6);
            root = ShiftLeft(HighMultiply(HalfThree, root) - HighMultiply(half, cube), 3);
        }

        var value = HighMultiply(root, 1518500250);
        return shift < 0 ? new Multiplier(value << -shift, 0) : new Multiplier(value, -shift);
    }
}
