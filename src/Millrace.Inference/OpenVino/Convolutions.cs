using System.Collections.Immutable;
using Millrace.Inference.Onnx;

namespace Millrace.Inference.OpenVino;

/// <summary>Convolutions, and those backwards.</summary>
static class Convolutions
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("Convolution", 1, c => Forward(c, isGrouped: false)), new("GroupConvolution", 1, c => Forward(c, isGrouped: true)),
        new("ConvolutionBackpropData", 1, c => Backward(c, isGrouped: false)),
        new("GroupConvolutionBackpropData", 1, c => Backward(c, isGrouped: true)),
        Operator.NotConverted("BinaryConvolution", 1), Operator.NotConverted("DeformableConvolution", 1),
        Operator.NotConverted("DeformableConvolution", 8),
    ];

    static string Forward(Conversion c, bool isGrouped)
    {
        var (weights, groups, kernel) = Weights(c, isGrouped);
        var windows = new Windows(c, kernel);
        var sizes = c.SizesOf(0).AsSpan()[2..];
        var isResolved = sizes.IndexOf(-1) < 0;
        if (isResolved) windows.Resolve(sizes);
        return c.Op("Conv", [c.In(0), weights], [.. windows.Attributes(isResolved), new("group", groups)]);
    }

    static string Backward(Conversion c, bool isGrouped)
    {
        var (weights, groups, kernel) = Weights(c, isGrouped);
        var windows = new Windows(c, kernel);
        var extra = c.Ints("output_padding") ?? new long[kernel.Length];
        if (extra.Length != kernel.Length) throw c.Layer.Malformed($"output_padding has not {kernel.Length} numbers");
        if (c.Has(2)) return BackwardTo(c, weights, groups, windows, extra);
        // Without a wanted size there is nothing that "same" could be the same as.
        if (windows.IsSame) throw c.Layer.Refused($"with auto_pad {windows.AutoPad} and no output_shape");
        return c.Op(
            "ConvTranspose", [c.In(0), weights],
            [.. windows.Attributes(isResolved: true), new("group", groups), new("output_padding", extra)]);
    }

    static string BackwardTo(Conversion c, string weights, long groups, Windows windows, long[] extra)
    {
        var (sizes, wanted) = (c.SizesOf(0)[2..], c.IntsOf(2));
        if (sizes.Contains(-1)) throw c.Layer.Refused("with output_shape and open sizes");
        if (wanted.Length != sizes.Length) throw c.Layer.Malformed($"output_shape has not {sizes.Length} numbers");
        var (begin, end) = (new long[wanted.Length], new long[wanted.Length]);
        for (var i = 0; i < wanted.Length; i++)
        {
            var full = (sizes[i] - 1) * windows.Strides[i] + windows.Reach(i);
            var total = Math.Max(0, full + extra[i] - wanted[i]);
            // The larger half lies where the forward convolution has the smaller one.
            begin[i] = windows.AutoPad switch
            {
                "same_upper" => total - total / 2,
                "same_lower" => total / 2,
                "explicit" => windows.Begin[i],
                _ => 0,
            };
            end[i] = full - begin[i] - wanted[i];
        }

        var whole = c.Op(
            "ConvTranspose", [c.In(0), weights],
            new OnnxAttribute("strides", windows.Strides), new OnnxAttribute("dilations", windows.Dilations),
            new OnnxAttribute("kernel_shape", windows.Kernel), new OnnxAttribute("group", groups));
        return Windows.Pad(c, whole, c.TypeOf(0), [.. begin.Select(pad => -pad)], [.. end.Select(pad => -pad)], with: 0);
    }

    // Groups are a dimension of their own: ONNX has them within the first.
    static (string Weights, long Groups, long[] Kernel) Weights(Conversion c, bool isGrouped)
    {
        var sizes = c.StaticSizes(1);
        if (sizes.Length < (isGrouped ? 4 : 3)) throw c.Layer.Malformed($"its weights have {sizes.Length} dimensions");
        if (!isGrouped) return (c.In(1), 1, sizes[2..]);
        return (c.Reshape(c.In(1), [sizes[0] * sizes[1], .. sizes[2..]]), sizes[0], sizes[3..]);
    }
}
