using Millrace.Inference.Onnx;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>What neurons do.</summary>
static class Activations
{
    // As TensorFlow's kernels have them; ONNX's defaults differ in the last digits.
    const float SeluAlpha = 1.6732632423543772848170429916717f;
    const float SeluScale = 1.0507009873554804934193349852946f;

    public static readonly Operator[] Rows =
    [
        new("Relu", c => Types.Widened(c, Types.Numbers, x => Relu(c.E, x[0]))),
        new("Relu6", c => Types.Widened(c, Types.Numbers, x => Relu6(c.E, x[0]))),
        new("LeakyRelu", c => Types.Widened(c, Types.Fractions, x => Leaky(c, x[0]))),
        new("Elu", c => Single(c, "Elu", new OnnxAttribute("alpha", 1f))),
        new("Selu", c => Single(c, "Selu", new OnnxAttribute("alpha", SeluAlpha), new OnnxAttribute("gamma", SeluScale))),
        new("Sigmoid", c => Fraction(c, "Sigmoid")),
        new("Tanh", c => Fraction(c, "Tanh")),
        new("Softplus", c => Single(c, "Softplus")),
        new("Softsign", c => Single(c, "Softsign")),
        new("Erf", c => Single(c, "Erf")),
        new("Erfc", c => Types.Widened(c, Types.Singles, x => c.E.Sub(c.E.Scalar(1, x[0].Type), c.E.Map("Erf", x[0])))),
        new("Softmax", c => Fraction(c, "Softmax", new OnnxAttribute("axis", -1L))),
        new("LogSoftmax", c => Fraction(c, "LogSoftmax", new OnnxAttribute("axis", -1L))),
    ];

    // The engine joins these two with the convolution before them.
    static Value Relu(Emitter e, Value x) => x.Type.IsWhole() ? e.Max(x, e.Scalar(0, x.Type)) : e.Map("Relu", x);

    static Value Relu6(Emitter e, Value x) => x.Type.IsWhole()
        ? e.Min(Relu(e, x), e.Scalar(6, x.Type))
        : e.Node("Clip", [x, e.Scalar(0, x.Type), e.Scalar(6, x.Type)], x.Type, x.Shape);

    static Value Leaky(Call c, Value x) =>
        c.E.Where(c.E.Compare("Greater", x, c.E.Scalar(0, x.Type)), x, c.E.Mul(x, c.E.Scalar(c.Float("alpha", 0.2f), x.Type)));

    static Value Fraction(Call c, string op, params OnnxAttribute[] attributes) =>
        Types.Widened(c, Types.Fractions, x => c.E.Map(op, x[0], attributes));

    static Value Single(Call c, string op, params OnnxAttribute[] attributes) =>
        Types.Widened(c, Types.Singles, x => c.E.Map(op, x[0], attributes));
}
