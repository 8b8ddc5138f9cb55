using System.Collections.Immutable;
using Millrace.Inference.Onnx;

namespace Millrace.Inference.OpenVino;

/// <summary>Normalisations.</summary>
static class Normalisation
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("BatchNormInference", 1, c => BatchNorm(c, data: 2, gamma: 0, beta: 1)),
        new("BatchNormInference", 5, c => BatchNorm(c, data: 0, gamma: 1, beta: 2)),
        new("LRN", 1, Lrn), new("MVN", 2, Mvn2), new("MVN", 6, Mvn6), new("NormalizeL2", 1, NormalizeL2), new("GRN", 1, Grn),
        new("GroupNormalization", 12, GroupNormalization),
    ];

    static string BatchNorm(Conversion c, int data, int gamma, int beta) => c.Op(
        "BatchNormalization", [c.In(data), c.In(gamma), c.In(beta), c.In(3), c.In(4)],
        new OnnxAttribute("epsilon", (float)c.Float("epsilon", 1e-5)));

    static string Lrn(Conversion c)
    {
        var (axes, rank, size) = (c.IntsOf(1).Select(axis => c.Axis(axis, c.RankOf(0))).Order().ToArray(), c.RankOf(0), c.Int("size"));
        var (alpha, beta, bias) = (c.Float("alpha", 1), c.Float("beta", 0.75), c.Float("bias", 1));
        // What an even window reaches is not said.
        if (size < 1 || size % 2 == 0) throw c.Layer.Refused($"with size {size}");
        if (axes is [1] && rank == 4)
        {
            return c.Op(
                "LRN", [c.In(0)], new OnnxAttribute("size", size), new OnnxAttribute("alpha", (float)alpha),
                new OnnxAttribute("beta", (float)beta), new OnnxAttribute("bias", (float)bias));
        }

        if (axes.Length == 0 || axes[0] < 1 || rank is < 2 or > 4 && axes[0] < 2)
            throw c.Layer.Refused($"along axes {string.Join(",", axes)}");
        // The mean over the window is the sum, divided as OpenVINO divides it. Where the window goes over the channels, they
        // become an axis of space.
        var (type, first) = (c.TypeOf(0), axes[0] < 2 ? 1 : 2);
        var squares = c.Mul(c.In(0), c.In(0));
        if (first == 1) squares = c.Unsqueeze(squares, 1);
        long[] window = [.. Enumerable.Range(first, rank - first).Select(axis => Array.IndexOf(axes, axis) < 0 ? 1L : size)];
        long[] begin = [.. window.Select(width => (width - 1) / 2)], end = [.. window.Select(width => width / 2)];
        var mean = c.Op(
            "AveragePool", [squares], new OnnxAttribute("kernel_shape", window),
            new OnnxAttribute("pads", [.. begin, .. end]), new OnnxAttribute("count_include_pad", 1));
        if (first == 1) mean = c.Squeeze(mean, 1);
        var sum = c.Add(c.Mul(mean, c.Scalar(alpha, type)), c.Scalar(bias, type));
        return c.Div(c.In(0), c.Op("Pow", [sum, c.Scalar(beta, type)]));
    }

    static string Mvn2(Conversion c)
    {
        var axes = c.Ints("reduction_axes");
        if (axes is null or [])
        {
            var first = c.Flag("across_channels", false) ? 1 : 2;
            axes = [.. Enumerable.Range(first, Math.Max(0, c.RankOf(0) - first)).Select(axis => (long)axis)];
        }

        return MeanVariance(c, axes, isInside: true);
    }

    static string Mvn6(Conversion c)
    {
        var mode = c.Text("eps_mode", "inside_sqrt");
        if (mode is not ("inside_sqrt" or "outside_sqrt")) throw c.Layer.Malformed($"eps_mode is {mode}");
        return MeanVariance(c, c.IntsOf(1), mode == "inside_sqrt");
    }

    static string MeanVariance(Conversion c, long[] axes, bool isInside)
    {
        var type = c.TypeOf(0);
        var centred = c.Sub(c.In(0), c.Mean(c.In(0), axes));
        if (!c.Flag("normalize_variance", true)) return centred;
        var variance = c.Mean(c.Mul(centred, centred), axes);
        var epsilon = c.Scalar(c.Float("eps", 1e-9), type);
        return c.Div(centred, isInside ? c.Op("Sqrt", [c.Add(variance, epsilon)]) : c.Add(c.Op("Sqrt", [variance]), epsilon));
    }

    static string NormalizeL2(Conversion c)
    {
        var axes = c.IntsOf(1);
        // Without axes each element is divided by itself: one, where it is not zero.
        if (axes.Length == 0) return c.Op("Abs", [c.Op("Sign", [c.In(0)])]);
        var sum = c.Sum(c.Mul(c.In(0), c.In(0)), axes);
        var epsilon = c.Scalar(c.Float("eps", 1e-10), c.TypeOf(0));
        var mode = c.Text("eps_mode", "add");
        var safe = mode switch
        {
            "add" => c.Add(sum, epsilon),
            "max" => c.Op("Max", [sum, epsilon]),
            _ => throw c.Layer.Malformed($"eps_mode is {mode}"),
        };
        return c.Div(c.In(0), c.Op("Sqrt", [safe]));
    }

    static string Grn(Conversion c)
    {
        var sum = c.Sum(c.Mul(c.In(0), c.In(0)), 1);
        return c.Div(c.In(0), c.Op("Sqrt", [c.Add(sum, c.Scalar(c.Float("bias", 1), c.TypeOf(0)))]));
    }

    static string GroupNormalization(Conversion c)
    {
        var (rank, type, channels) = (c.RankOf(0), c.TypeOf(0), c.SizesOf(0)[1]);
        var groups = c.Int("num_groups");
        if (rank < 2 || groups < 1 || channels >= 0 && channels % groups != 0) throw c.Layer.Malformed($"num_groups is {groups}");
        var grouped = c.Reshape(c.In(0), 0, groups, -1);
        var centred = c.Sub(grouped, c.Mean(grouped, 2));
        var variance = c.Add(c.Mean(c.Mul(centred, centred), 2), c.Scalar(c.Float("epsilon", 1e-5), type));
        var whole = c.Op("Reshape", [c.Div(centred, c.Op("Sqrt", [variance])), c.Shape(c.In(0))]);
        long[] perChannel = [-1, .. Enumerable.Repeat(1L, rank - 2)];
        return c.Add(c.Mul(whole, c.Reshape(c.In(1), perChannel)), c.Reshape(c.In(2), perChannel));
    }
}
