using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Arithmetic element by element.</summary>
static class Arithmetic
{
    public static readonly Operator[] Rows =
    [
        new(["Add", "AddV2"], c => Pairs(c, "Add")),
        new("Sub", c => Pairs(c, "Sub")),
        new("Mul", c => Pairs(c, "Mul")),
        new(["Div", "RealDiv", "TruncateDiv"], Div),
        new("Maximum", c => Pairs(c, "Max")),
        new("Minimum", c => Pairs(c, "Min")),
        new("Pow", c => Pairs(c, "Pow")),
        new("DivNoNan", DivNoNan),
        new("MulNoNan", MulNoNan),
        new("FloorDiv", FloorDiv),
        new(["FloorMod"], FloorMod),
        new(["Mod", "TruncateMod"], TruncateMod),
        new("Atan2", c => Types.Widened(c, Types.Singles, x => Atan2(c.E, x[0], x[1]))),
        new("Xdivy", c => Types.Widened(c, Types.Fractions, x => NoneOfZero(c.E, x[0], c.E.Div(x[0], x[1])))),
        new("Xlogy", c => Types.Widened(c, Types.Fractions, x => NoneOfZero(c.E, x[0], c.E.Mul(x[0], c.E.Map("Log", x[1]))))),
        .. new[] { "And", "Or", "Xor" }.Select(op => new Operator($"Bitwise{op}", c => c.E.Pairs($"Bitwise{op}", c[0], c[1]))),
        new("Invert", c => c.E.Map("BitwiseNot", c[0])),
        new("SquaredDifference", c => Types.Widened(c, Types.Numbers, x => Squared(c.E, c.E.Sub(x[0], x[1])))),
        new("Square", c => Types.Widened(c, Types.Numbers, x => Squared(c.E, x[0]))),
        new("AddN", AddN),
        new("Neg", c => Types.Widened(c, Types.Numbers, x => c.E.Map("Neg", x[0]))),
        new("Abs", c => Types.Widened(c, Types.Numbers, x => c.E.Map("Abs", x[0]))),
        new("Sign", c => Types.Widened(c, Types.Numbers, x => c.E.Map("Sign", x[0]))),
        new(["Reciprocal", "Inv"], c => Fraction(c, "Reciprocal")),
        new("Sqrt", c => Fraction(c, "Sqrt")),
        new("Rsqrt", c => Types.Widened(c, Types.Fractions, x => c.E.Map("Reciprocal", c.E.Map("Sqrt", x[0])))),
        new("Exp", c => Fraction(c, "Exp")),
        new("Log", c => Fraction(c, "Log")),
        new("Sin", c => Fraction(c, "Sin")),
        new("Cos", c => Fraction(c, "Cos")),
        .. new[] { "Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh" }
            .Select(op => new Operator(op, c => Types.Widened(c, Types.Singles, x => c.E.Map(op, x[0])))),
        // Near 0 single precision would lose the digits that these two are there for.
        new("Log1p", c => Precise(c, x => c.E.Map("Log", c.E.Add(x, c.E.Scalar(1, TensorType.F64))))),
        new("Expm1", c => Precise(c, x => c.E.Sub(c.E.Map("Exp", x), c.E.Scalar(1, TensorType.F64)))),
        new("Floor", c => Rounded(c, "Floor")),
        new("Ceil", c => Rounded(c, "Ceil")),
        new(["Round", "Rint"], c => Rounded(c, "Round")),
        new("Cast", Cast),
        new("ClipByValue", c => Types.Widened(c, Types.Numbers, x => c.E.Max(x[1], c.E.Min(x[2], x[0])))),
        new("L2Loss", L2Loss),
    ];

    // The least int divided by -1 does not fit: it does in the wider type.
    static readonly TensorType[] Divided = [TensorType.F32, TensorType.F16, TensorType.F64, TensorType.I64];

    static Value Pairs(Call c, string op) => Types.Widened(c, Types.Numbers, x => c.E.Pairs(op, x[0], x[1]));

    static Value Fraction(Call c, string op) => Types.Widened(c, Types.Fractions, x => c.E.Map(op, x[0]));

    static Value Squared(Emitter e, Value x) => e.Mul(x, x);

    static Value Precise(Call c, Func<Value, Value> compute) =>
        c.E.Cast(compute(c.E.Cast(c[0], TensorType.F64)), c[0].Type);

    static Value Rounded(Call c, string op) =>
        c[0].Type.IsWhole() ? c[0] : Types.Widened(c, Types.Fractions, x => c.E.Map(op, x[0]));

    // TensorFlow has an error there too.
    static Value Divisor(Call c, Value y)
    {
        if (!y.Type.IsWhole()) return y;
        if (y.IsKnown) return y.Known.Contains(0) ? throw c.Refuse("it divides whole numbers by 0") : y;
        return new(Divisors.Checked(c.E.Graph, y.Name, y.Type), y.Type, y.Shape);
    }

    static Value Div(Call c) => Types.Widened(c, Divided, x => c.E.Div(x[0], Divisor(c, x[1])));

    static Value DivNoNan(Call c) => Types.Widened(c, Types.Fractions, x =>
    {
        var zero = c.E.Scalar(0, x[0].Type);
        return c.E.Where(c.E.Compare("Equal", x[1], zero), zero, c.E.Div(x[0], x[1]));
    });

    static Value MulNoNan(Call c) => Types.Widened(c, Types.Fractions, x =>
    {
        var zero = c.E.Scalar(0, x[0].Type);
        return c.E.Where(c.E.Compare("Equal", x[1], zero), zero, c.E.Mul(x[0], x[1]));
    });

    static Value NoneOfZero(Emitter e, Value x, Value result) =>
        e.Where(e.Compare("Equal", x, e.Scalar(0, x.Type)), e.Scalar(0, x.Type), result);

    // The half plane that the quotient does not tell.
    static Value Atan2(Emitter e, Value y, Value x)
    {
        var zero = e.Scalar(0, x.Type);
        var half = e.Where(e.Compare("Less", y, zero), e.Scalar(-Math.PI, x.Type), e.Scalar(Math.PI, x.Type));
        var angle = e.Map("Atan", e.Div(y, x));
        var upright = e.Mul(e.Map("Sign", y), e.Scalar(Math.PI / 2, x.Type));
        angle = e.Where(e.Compare("Less", x, zero), e.Add(angle, half), angle);
        return e.Where(e.Compare("Equal", x, zero), upright, angle);
    }

    static Value FloorDiv(Call c) => Types.Widened(c, Divided, x =>
    {
        var e = c.E;
        if (!x[0].Type.IsWhole()) return e.Map("Floor", e.Div(x[0], x[1]));
        // ONNX truncates: one less where something is left over and the signs differ. Its Mod has the divisor's sign.
        var divisor = Divisor(c, x[1]);
        return e.Div(e.Sub(x[0], e.Pairs("Mod", x[0], divisor)), divisor);
    });

    static Value FloorMod(Call c) => Types.Widened(c, Divided, x =>
    {
        var e = c.E;
        if (x[0].Type.IsWhole()) return e.Pairs("Mod", x[0], Divisor(c, x[1]));
        var zero = e.Scalar(0, x[0].Type);
        var rest = Fmod(e, x[0], x[1]);
        var differs = e.Compare("Less", e.Mul(e.Map("Sign", rest), e.Map("Sign", x[1])), zero);
        return e.Where(differs, e.Add(rest, x[1]), rest);
    });

    static Value TruncateMod(Call c) => Types.Widened(c, Divided, x => Fmod(c.E, x[0], Divisor(c, x[1])));

    static Value Fmod(Emitter e, Value x, Value y) =>
        e.Node("Mod", [x, y], x.Type, Emitter.Broadcast(x.Shape, y.Shape), new OnnxAttribute("fmod", 1L));

    static Value AddN(Call c) => Types.Widened(c, Types.Numbers, x => x.Aggregate(c.E.Add));

    static Value Cast(Call c) => c.E.Cast(c[0], c.Type("DstT"));

    static Value L2Loss(Call c) => Types.Widened(c, Types.Fractions, x =>
    {
        var sum = c.E.Node("ReduceSumSquare", [x[0]], x[0].Type, [], new OnnxAttribute("keepdims", 0L));
        return c.E.Div(sum, c.E.Scalar(2, x[0].Type));
    });
}
