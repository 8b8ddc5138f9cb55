using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Operators on regions of an image.</summary>
static class Regions
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("RegionYolo", 1, RegionYolo), new("ROIAlign", 3, c => RoiAlign(c, "asymmetric")),
        new("ROIAlign", 9, c => RoiAlign(c, c.Text("aligned_mode", "asymmetric"))), new("ROIPooling", 2, RoiPooling),
    ];

    static string RegionYolo(Conversion c)
    {
        var (coordinates, classes, isSoftmax) = (c.Int("coords"), c.Int("classes"), c.Flag("do_softmax", true));
        var regions = isSoftmax ? c.Int("num") : (c.Ints("mask") ?? []).Length;
        var (sizes, entries) = (c.SizesOf(0), coordinates + 1 + classes);
        if (sizes.Length != 4 || regions < 1 || sizes[1] >= 0 && sizes[1] < regions * entries)
            throw c.Layer.Malformed($"{regions} regions of {entries} entries do not fit its input");
        if (sizes[1..].Contains(-1)) throw c.Layer.Refused("with open sizes");
        var x = c.Slice(c.In(0), 1, 0, regions * entries);
        x = c.Reshape(x, sizes[0], regions, entries, sizes[2], sizes[3]);
        var scores = c.Slice(x, 2, coordinates + 1, entries);
        string[] parts =
        [
            c.Op("Sigmoid", [c.Slice(x, 2, 0, 2)]), c.Slice(x, 2, 2, coordinates),
            c.Op("Sigmoid", [c.Slice(x, 2, coordinates, coordinates + 1)]),
            isSoftmax ? c.Op("Softmax", [scores], new OnnxAttribute("axis", 2)) : c.Op("Sigmoid", [scores]),
        ];
        return c.Reshape(c.Concat(2, parts), c.OutputSizes().AsSpan());
    }

    static string RoiAlign(Conversion c, string aligned)
    {
        var (mode, transformation) = (c.Text("mode", "avg"), aligned switch
        {
            "asymmetric" => "output_half_pixel",
            "half_pixel" => "half_pixel",
            _ => throw c.Layer.Refused($"with aligned_mode {aligned}"),
        });
        // The engine takes another maximum than OpenVINO does.
        if (mode != "avg") throw c.Layer.Refused($"with mode {mode}");
        return c.Op(
            "RoiAlign", [c.In(0), c.In(1), c.Row(2)],
            new OnnxAttribute("mode", mode), new OnnxAttribute("output_height", c.Int("pooled_h")),
            new OnnxAttribute("output_width", c.Int("pooled_w")), new OnnxAttribute("sampling_ratio", c.Int("sampling_ratio")),
            new OnnxAttribute("spatial_scale", (float)c.Float("spatial_scale", 1)),
            new OnnxAttribute("coordinate_transformation_mode", transformation));
    }

    static string RoiPooling(Conversion c)
    {
        var (height, width, method) = (Size(c, 0), Size(c, 1), c.Text("method", "max"));
        if (method == "max")
        {
            return c.Op(
                "MaxRoiPool", [c.In(0), c.In(1)],
                new OnnxAttribute("pooled_shape", height, width), new OnnxAttribute("spatial_scale", (float)c.Float("spatial_scale", 1)));
        }

        if (method != "bilinear") throw c.Layer.Malformed($"method is {method}");
        // Regions are parts of the image, and so are the places that are looked up in it.
        var batch = c.Cast(c.Squeeze(c.Slice(c.In(1), 1, 0, 1), 1), TensorType.I64);
        var (x, y) = (Places(c, 1, width), Places(c, 2, height));
        var whole = c.Concat(0, c.Shape(batch), c.Ints(height, width));
        x = c.Op("Expand", [c.Unsqueeze(x, 1), whole]);
        y = c.Op("Expand", [c.Unsqueeze(y, 2), whole]);
        var grid = c.Concat(3, Centred(c, x), Centred(c, y));
        var sampled = c.Op("GridSample", [c.Op("Gather", [c.In(0), batch]), grid], new OnnxAttribute("align_corners", 1));
        var isInside = c.Op("And", [IsPart(c, x), IsPart(c, y)]);
        return c.Where(c.Unsqueeze(isInside, 1), sampled, c.Scalar(0, c.TypeOf(0)));
    }

    static long Size(Conversion c, int index) =>
        c.Ints("output_size") is { Length: 2 } both ? both[index] : c.Int(index == 0 ? "pooled_h" : "pooled_w");

    // From a region's first to its last place in even steps; one alone lies in the middle.
    static string Places(Conversion c, int from, long count)
    {
        c.Bounded(count);
        var type = c.TypeOf(0);
        var (first, last) = (c.Slice(c.In(1), 1, from, from + 1), c.Slice(c.In(1), 1, from + 2, from + 3));
        double[] parts = count == 1 ? [0.5] : [.. Enumerable.Range(0, (int)count).Select(at => at / (double)(count - 1))];
        return c.Add(first, c.Mul(c.Sub(last, first), c.Constant(type, [1, count], parts)));
    }

    static string Centred(Conversion c, string places) => c.Unsqueeze(
        c.Sub(c.Mul(places, c.Scalar(2, c.TypeOf(0))), c.Scalar(1, c.TypeOf(0))), 3);

    static string IsPart(Conversion c, string places) => c.Op(
        "And", [c.Op("GreaterOrEqual", [places, c.Scalar(0, c.TypeOf(0))]), c.Op("LessOrEqual", [places, c.Scalar(1, c.TypeOf(0))])]);
}
