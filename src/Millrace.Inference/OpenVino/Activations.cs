using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Activation functions.</summary>
static class Activations
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("ReLU", 1, Relu),
        new("Sigmoid", 1, c => c.Op("Sigmoid", [c.In(0)])),
        new("Elu", 1, c => c.Op("Elu", [c.In(0)], new OnnxAttribute("alpha", (float)c.Float("alpha", 1)))),
        new("PRelu", 1, PRelu), new("PReLU", 1, PRelu),
        new("Selu", 1, Selu),
        new("HardSigmoid", 1, c => Between0And1(c, c.Add(c.Mul(c.In(0), c.In(1)), c.In(2)))),
        new("HSigmoid", 5, HSigmoid),
        new("HSwish", 4, c => c.Mul(c.In(0), HSigmoid(c))),
        new("Swish", 4, c => c.Mul(c.In(0), c.Op("Sigmoid", [c.Has(1) ? c.Mul(c.In(0), c.In(1)) : c.In(0)]))),
        new("Mish", 4, c => c.Mul(c.In(0), c.Op("Tanh", [c.Op("Softplus", [c.In(0)])]))),
        new("SoftPlus", 4, c => c.Op("Softplus", [c.In(0)])),
        new("SoftSign", 9, c => c.Div(c.In(0), c.Add(c.Op("Abs", [c.In(0)]), c.Scalar(1, c.TypeOf(0))))),
        new("Gelu", 2, c => GeluErf(c)), new("Gelu", 7, Gelu),
        new("SoftMax", 1, c => c.Op("Softmax", [c.In(0)], new OnnxAttribute("axis", c.Int("axis", 1)))),
        new("SoftMax", 8, c => c.Op("Softmax", [c.In(0)], new OnnxAttribute("axis", c.Int("axis", 1)))),
        new("LogSoftmax", 5, c => c.Op("LogSoftmax", [c.In(0)], new OnnxAttribute("axis", c.Int("axis", 1)))),
    ];

    static string Relu(Conversion c)
    {
        if (c.TypeOf(0) == TensorType.U64) return c.Op("Identity", [c.In(0)]);
        var wide = Conversion.Wide(c.TypeOf(0));
        return c.As(c.Op("Max", [c.WideIn(0), c.Scalar(0, wide)]), wide, c.OutputType());
    }

    // One dimension of slopes is that of the channels, which is the second.
    static string PRelu(Conversion c)
    {
        var (x, slope, rank) = (c.In(0), c.In(1), c.RankOf(0));
        if (c.RankOf(1) == 1 && rank > 2 && c.SizesOf(1)[0] != 1) slope = c.Reshape(slope, [-1, .. Enumerable.Repeat(1L, rank - 2)]);
        return c.Where(c.Op("Less", [x, c.Scalar(0, c.TypeOf(0))]), c.Mul(x, slope), x);
    }

    static string Selu(Conversion c)
    {
        var (x, type) = (c.In(0), c.TypeOf(0));
        var low = c.Mul(c.In(1), c.Sub(c.Op("Exp", [x]), c.Scalar(1, type)));
        return c.Mul(c.In(2), c.Where(c.Op("Greater", [x, c.Scalar(0, type)]), x, low));
    }

    static string HSigmoid(Conversion c)
    {
        var type = c.TypeOf(0);
        var shifted = c.Op("Max", [c.Add(c.In(0), c.Scalar(3, type)), c.Scalar(0, type)]);
        return c.Div(c.Op("Min", [shifted, c.Scalar(6, type)]), c.Scalar(6, type));
    }

    static string Gelu(Conversion c) => c.Text("approximation_mode", "erf") switch
    {
        "erf" => GeluErf(c),
        "tanh" => GeluTanh(c),
        var mode => throw c.Layer.Malformed($"approximation_mode is {mode}"),
    };

    static string GeluErf(Conversion c)
    {
        var (x, type) = (c.In(0), c.TypeOf(0));
        var erf = c.Op("Erf", [c.Mul(x, c.Scalar(1 / Math.Sqrt(2), type))]);
        return c.Mul(c.Mul(x, c.Scalar(0.5, type)), c.Add(erf, c.Scalar(1, type)));
    }

    static string GeluTanh(Conversion c)
    {
        var (x, type) = (c.In(0), c.TypeOf(0));
        var cube = c.Mul(c.Mul(c.Mul(x, x), x), c.Scalar(0.044715, type));
        var tanh = c.Op("Tanh", [c.Mul(c.Add(x, cube), c.Scalar(Math.Sqrt(2 / Math.PI), type))]);
        return c.Mul(c.Mul(x, c.Scalar(0.5, type)), c.Add(tanh, c.Scalar(1, type)));
    }

    static string Between0And1(Conversion c, string x) =>
        c.Op("Min", [c.Op("Max", [x, c.Scalar(0, c.TypeOf(0))]), c.Scalar(1, c.TypeOf(0))]);
}
