using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Operators of two inputs that are broadcast against each other.</summary>
static class Arithmetic
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        Binary("Add", "Add"), Binary("Subtract", "Sub"), Binary("Multiply", "Mul"), Binary("Power", "Pow"),
        Binary("Maximum", "Max"), Binary("Minimum", "Min"),
        Numeric("Divide", Divide), Numeric("Mod", (c, a, b, _) => c.Op("Mod", [a, b], new OnnxAttribute("fmod", 1))),
        Numeric("FloorMod", FloorMod), Numeric("SquaredDifference", SquaredDifference),
        Comparison("Equal", "Equal", isNegated: false), Comparison("NotEqual", "Equal", isNegated: true),
        Comparison("Greater", "Greater", isNegated: false), Comparison("GreaterEqual", "GreaterOrEqual", isNegated: false),
        Comparison("Less", "Less", isNegated: false), Comparison("LessEqual", "LessOrEqual", isNegated: false),
        Logical("LogicalAnd", 1, "And"), Logical("LogicalOr", 1, "Or"), Logical("LogicalXor", 1, "Xor"),
        Bits("BitwiseAnd", "And"), Bits("BitwiseOr", "Or"), Bits("BitwiseXor", "Xor"),
        Shift("BitwiseLeftShift", "LEFT"), Shift("BitwiseRightShift", "RIGHT"),
        new("Select", 1, Select),
        new("MatMul", 1, MatMul),
        new("Einsum", 7, Einsum),
        new("ScaledDotProductAttention", 13, Attention),
    ];

    static Operator Binary(string type, string op) => Numeric(type, (c, a, b, _) => c.Op(op, [a, b]));

    // Whole numbers that the engine has no code for are computed wider; the low bits, which remain, are the same.
    static Operator Numeric(string type, Func<Conversion, string, string, TensorType, string> compute) => new(type, 1, c =>
    {
        // The least int divided by -1 does not fit: it does in the wider type.
        var isDivision = type is "Divide" or "Mod" or "FloorMod" && !Conversion.IsFloat(c.TypeOf(0));
        var wide = isDivision ? TensorType.I64 : Conversion.Wide(c.TypeOf(0));
        if (c.TypeOf(0) == TensorType.U64 && type is not ("Add" or "Subtract" or "Multiply")) throw c.Layer.Refused("on U64");
        var (a, b) = Broadcast(c, 0, 1, c.As(c.In(0), c.TypeOf(0), wide), c.As(c.In(1), c.TypeOf(1), wide));
        if (isDivision) b = Divisors.Checked(c.Graph, b, wide);
        return c.As(compute(c, a, b, wide), wide, c.OutputType());
    });

    static Operator Comparison(string type, string op, bool isNegated) => new(type, 1, c =>
    {
        var wide = Conversion.Wide(c.TypeOf(0));
        if (c.TypeOf(0) == TensorType.U64) throw c.Layer.Refused("on U64");
        var (a, b) = Broadcast(c, 0, 1, c.WideIn(0), c.As(c.In(1), c.TypeOf(1), wide));
        var result = c.Op(op, [a, b]);
        return isNegated ? c.Op("Not", [result]) : result;
    });

    static Operator Logical(string type, int opset, string op) => new(type, opset, c =>
    {
        var (a, b) = Broadcast(
            c, 0, 1, c.As(c.In(0), c.TypeOf(0), TensorType.Bool), c.As(c.In(1), c.TypeOf(1), TensorType.Bool));
        return c.Op(op, [a, b]);
    });

    static Operator Bits(string type, string op) => new(type, 13, c =>
    {
        var (a, b) = Broadcast(c, 0, 1, c.In(0), c.In(1));
        return c.Op(c.TypeOf(0) == TensorType.Bool ? op : $"Bitwise{op}", [a, b]);
    });

    static Operator Shift(string type, string direction) => new(type, 15, c =>
    {
        if (c.TypeOf(0) is not (TensorType.U8 or TensorType.U16 or TensorType.U32 or TensorType.U64))
            throw c.Layer.Refused($"on {c.TypeOf(0)}");
        var (a, b) = Broadcast(c, 0, 1, c.In(0), c.In(1));
        return c.Op("BitShift", [a, b], new OnnxAttribute("direction", direction));
    });

    static (string A, string B) Broadcast(Conversion c, int first, int second, string a, string b)
    {
        var mode = c.Text("auto_broadcast", "numpy");
        if (mode is "numpy" or "none") return (a, b);
        if (mode != "pdpd") throw c.Layer.Malformed($"auto_broadcast is {mode}");
        // The second's sizes begin at an axis of the first; ones at its end do not count.
        var sizes = c.StaticSizes(second).ToList();
        var axis = c.Int("axis", -1);
        var at = axis < 0 ? c.RankOf(first) - sizes.Count : (int)axis;
        while (sizes is [.., 1]) sizes.RemoveAt(sizes.Count - 1);
        if (at < 0 || at + sizes.Count > c.RankOf(first)) throw c.Layer.Malformed($"axis is {axis}");
        while (at + sizes.Count < c.RankOf(first)) sizes.Add(1);
        return (a, c.Reshape(b, [.. sizes]));
    }

    static string Divide(Conversion c, string a, string b, TensorType type)
    {
        var quotient = c.Div(a, b);
        if (Conversion.IsFloat(type) || !c.Flag("m_pythondiv", true)) return quotient;
        // Whole numbers are rounded down, and the engine rounds them to zero.
        var remainder = c.Sub(a, c.Mul(b, quotient));
        return c.Sub(quotient, c.Cast(IsOtherSign(c, remainder, b, type), type));
    }

    static string FloorMod(Conversion c, string a, string b, TensorType type)
    {
        var remainder = c.Op("Mod", [a, b], new OnnxAttribute("fmod", 1));
        return c.Add(remainder, c.Mul(b, c.Cast(IsOtherSign(c, remainder, b, type), type)));
    }

    static string IsOtherSign(Conversion c, string remainder, string divisor, TensorType type)
    {
        var zero = c.Scalar(0, type);
        var differ = c.Op("Xor", [c.Op("Less", [remainder, zero]), c.Op("Less", [divisor, zero])]);
        return c.Op("And", [differ, c.Op("Not", [c.Op("Equal", [remainder, zero])])]);
    }

    static string SquaredDifference(Conversion c, string a, string b, TensorType type)
    {
        var difference = c.Sub(a, b);
        return c.Mul(difference, difference);
    }

    static string Select(Conversion c)
    {
        if (c.Text("auto_broadcast", "numpy") == "pdpd") throw c.Layer.Refused("with auto_broadcast pdpd");
        var wide = c.TypeOf(1) switch
        {
            TensorType.Bool => TensorType.U8,
            TensorType.I8 or TensorType.I16 or TensorType.U16 => TensorType.I32,
            TensorType.U32 or TensorType.U64 => TensorType.I64,
            var type => type,
        };
        var condition = c.As(c.In(0), c.TypeOf(0), TensorType.Bool);
        var chosen = c.Where(condition, c.As(c.In(1), c.TypeOf(1), wide), c.As(c.In(2), c.TypeOf(2), wide));
        return c.As(chosen, wide, c.OutputType());
    }

    static string MatMul(Conversion c)
    {
        var wide = Conversion.Wide(c.TypeOf(0));
        var a = Transposed(c, 0, c.WideIn(0), c.Flag("transpose_a", false));
        var b = Transposed(c, 1, c.As(c.In(1), c.TypeOf(1), wide), c.Flag("transpose_b", false));
        return c.As(c.Op("MatMul", [a, b]), wide, c.OutputType());
    }

    // Transposing says nothing of one dimension.
    static string Transposed(Conversion c, int index, string value, bool isTransposed)
    {
        var rank = c.RankOf(index);
        if (!isTransposed || rank < 2) return value;
        var order = Enumerable.Range(0, rank).Select(axis => (long)axis).ToArray();
        (order[^1], order[^2]) = (order[^2], order[^1]);
        return c.Transpose(value, order);
    }

    static string Einsum(Conversion c)
    {
        var wide = Conversion.Wide(c.TypeOf(0));
        string[] inputs = [.. Enumerable.Range(0, c.InputCount).Select(index => c.As(c.In(index), c.TypeOf(index), wide))];
        var equation = c.Layer.Attributes.GetValueOrDefault("equation") ?? throw c.Layer.Malformed("equation is missing");
        return c.As(c.Op("Einsum", inputs, new OnnxAttribute("equation", equation)), wide, c.OutputType());
    }

    static string Attention(Conversion c)
    {
        var (type, isCausal) = (c.TypeOf(0), c.Flag("causal", false));
        var (query, key) = (c.In(0), c.In(1));
        var rank = c.RankOf(1);
        var scale = c.Has(4) ? c.In(4)
            : c.Op("Reciprocal", [c.Op("Sqrt", [c.Cast(c.Slice(c.Shape(query), 0, -1, long.MaxValue), type)])]);
        var scores = c.Op("MatMul", [c.Mul(query, scale), Transposed(c, 1, key, isTransposed: rank > 1)]);
        var forbidden = c.Scalar(double.NegativeInfinity, type);
        if (isCausal)
        {
            // A query sees the keys up to its own place.
            var sizes = c.Slice(c.Shape(scores), 0, -2, long.MaxValue);
            var ones = c.Op("Expand", [c.Scalar(1, TensorType.F32), sizes]);
            var sees = c.Cast(c.Op("Trilu", [ones], new OnnxAttribute("upper", 0)), TensorType.Bool);
            scores = c.Where(sees, scores, forbidden);
        }
        else if (c.Has(3))
        {
            scores = c.TypeOf(3) == TensorType.Bool ? c.Where(c.In(3), scores, forbidden) : c.Add(scores, c.In(3));
        }

        return c.Op("MatMul", [c.Op("Softmax", [scores], new OnnxAttribute("axis", -1)), c.In(2)]);
    }
}
