using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Operators of one input, element by element, and conversions of types.</summary>
static class Elementwise
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        Same("Abs", 1, "Abs"), Same("Negative", 1, "Neg"), Same("Sign", 1, "Sign"),
        Float("Acos", 1, "Acos"), Float("Acosh", 4, "Acosh"), Float("Asin", 1, "Asin"), Float("Asinh", 4, "Asinh"),
        Float("Atan", 1, "Atan"), Float("Atanh", 4, "Atanh"), Float("Cos", 1, "Cos"), Float("Cosh", 1, "Cosh"),
        Float("Sin", 1, "Sin"), Float("Sinh", 1, "Sinh"), Float("Tan", 1, "Tan"), Float("Tanh", 1, "Tanh"),
        Float("Erf", 1, "Erf"), Float("Exp", 1, "Exp"), Float("Log", 1, "Log"), Float("Sqrt", 1, "Sqrt"),
        Float("IsNaN", 10, "IsNaN"),
        Whole("Ceiling", 1, "Ceil"), Whole("Floor", 1, "Floor"),
        new("Round", 5, Round),
        new("IsInf", 10, IsInf), new("IsFinite", 10, IsFinite),
        new("Convert", 1, c => Converted(c, c.In(0), c.TypeOf(0))), new("ConvertLike", 1, c => Converted(c, c.In(0), c.TypeOf(0))),
        new("Clamp", 1, Clamp), new("LogicalNot", 1, c => c.Op("Not", [c.Cast(c.In(0), TensorType.Bool)])),
        new("ConvertPromoteTypes", 14, c =>
            [c.As(c.In(0), c.TypeOf(0), c.OutputType()), c.As(c.In(1), c.TypeOf(1), c.OutputType(1))]),
        new("BitwiseNot", 13, BitwiseNot),
        new("FakeQuantize", 1, FakeQuantize), Operator.NotConverted("FakeConvert", 13),
    ];

    /// <summary>Computes in a type that the engine has, and gives the declared one.</summary>
    static Operator Same(string type, int opset, string op) => new(type, opset, c => c.TypeOf(0) == TensorType.U64
        ? throw c.Layer.Refused("on U64")
        : c.As(c.Op(op, [c.WideIn(0)]), Conversion.Wide(c.TypeOf(0)), c.OutputType()));

    static Operator Float(string type, int opset, string op) => new(type, opset, c =>
    {
        if (!Conversion.IsFloat(c.TypeOf(0))) throw c.Layer.Refused($"on {c.TypeOf(0)}");
        // Half and double precision go through single where the engine has nothing else.
        var result = c.Op(op, [c.As(c.In(0), c.TypeOf(0), TensorType.F32)]);
        return c.OutputType() == TensorType.Bool ? result : c.As(result, TensorType.F32, c.OutputType());
    });

    static Operator Whole(string type, int opset, string op) => new(type, opset, c =>
        Conversion.IsFloat(c.TypeOf(0)) ? c.Op(op, [c.In(0)]) : c.Op("Identity", [c.In(0)]));

    static string Round(Conversion c)
    {
        if (!Conversion.IsFloat(c.TypeOf(0))) return c.Op("Identity", [c.In(0)]);
        var mode = c.Text("mode", "half_to_even");
        if (mode == "half_to_even") return c.Op("Round", [c.In(0)]);
        if (mode != "half_away_from_zero") throw c.Layer.Malformed($"mode is {mode}");
        // Adding a half would round 0.49999997 up.
        var (x, type) = (c.In(0), c.TypeOf(0));
        var size = c.Op("Abs", [x]);
        var floor = c.Op("Floor", [size]);
        var isUp = c.Op("GreaterOrEqual", [c.Sub(size, floor), c.Scalar(0.5, type)]);
        return c.Mul(c.Op("Sign", [x]), c.Add(floor, c.Cast(isUp, type)));
    }

    static string IsInf(Conversion c) => c.Op(
        "IsInf", [c.As(c.In(0), c.TypeOf(0), TensorType.F32)],
        new OnnxAttribute("detect_negative", c.Flag("detect_negative", true) ? 1 : 0),
        new OnnxAttribute("detect_positive", c.Flag("detect_positive", true) ? 1 : 0));

    static string IsFinite(Conversion c)
    {
        var x = c.As(c.In(0), c.TypeOf(0), TensorType.F32);
        return c.Op("Not", [c.Op("Or", [c.Op("IsNaN", [x]), c.Op("IsInf", [x])])]);
    }

    static string Converted(Conversion c, string value, TensorType from)
    {
        // What the layer declares and what its output port says are the same, or the file is not to be trusted.
        if (c.Layer.Type == "Convert" && c.Layer.Attributes.TryGetValue("destination_type", out var name)
            && IrReader.Type(name) != c.OutputType())
        {
            throw c.Layer.Refused($"to {name}, with an output of {c.OutputType()}");
        }

        return c.As(c.Op("Identity", [value]), from, c.OutputType());
    }

    static string Clamp(Conversion c)
    {
        if (c.TypeOf(0) == TensorType.U64) throw c.Layer.Refused("on U64");
        var (min, max) = (c.Float("min", double.NegativeInfinity), c.Float("max", double.PositiveInfinity));
        var type = Conversion.Wide(c.TypeOf(0));
        if (!Conversion.IsFloat(type)) (min, max) = (Math.Ceiling(min), Math.Floor(max));
        var clipped = c.Op("Min", [c.Op("Max", [c.WideIn(0), c.Scalar(min, type)]), c.Scalar(max, type)]);
        return c.As(clipped, type, c.OutputType());
    }

    static string BitwiseNot(Conversion c) => c.Op(c.TypeOf(0) == TensorType.Bool ? "Not" : "BitwiseNot", [c.In(0)]);

    static string FakeQuantize(Conversion c)
    {
        if (c.Text("auto_broadcast", "numpy") == "pdpd") throw c.Layer.Refused("with auto_broadcast pdpd");
        var type = c.TypeOf(0);
        var steps = c.Scalar(c.Int("levels") - 1, type);
        var (x, inLow, inHigh, outLow, outHigh) = (c.In(0), c.In(1), c.In(2), c.In(3), c.In(4));
        var level = c.Op("Round", [c.Mul(c.Div(c.Sub(x, inLow), c.Sub(inHigh, inLow)), steps)]);
        var inside = c.Add(c.Mul(c.Div(level, steps), c.Sub(outHigh, outLow)), outLow);
        var isLow = c.Op("LessOrEqual", [x, c.Op("Min", [inLow, inHigh])]);
        var isHigh = c.Op("Greater", [x, c.Op("Max", [inLow, inHigh])]);
        return c.Where(isLow, outLow, c.Where(isHigh, outHigh, inside));
    }
}
