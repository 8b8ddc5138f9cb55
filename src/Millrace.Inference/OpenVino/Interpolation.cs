using System.Collections.Immutable;
using Millrace.Inference.Onnx;

namespace Millrace.Inference.OpenVino;

/// <summary>
/// Resizing, one axis after the other: each place of the output is a sum of weighted places of the input, which are counted
/// here. Where sizes are open, ONNX's own operator does what it does alike.
/// </summary>
static class Interpolation
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("Interpolate", 1, Interpolate1), new("Interpolate", 4, c => Interpolate4(c, axesInput: 3)),
        new("Interpolate", 11, c => Interpolate4(c, axesInput: 2)),
    ];

    /// <summary>What is asked for.</summary>
    /// <param name="Scales">Given ones; null where they follow from the sizes.</param>
    sealed record Request(
        string Mode, string Coordinates, string Nearest, double Cube, int[] Axes, double[]? Scales, long[] Begin, long[] End);

    static string Interpolate1(Conversion c)
    {
        var mode = c.Text("mode", "");
        if (mode is not ("nearest" or "linear" or "cubic")) throw c.Layer.Refused($"with mode {mode}");
        RefuseAntialias(c, mode);
        var axes = (c.Ints("axes") ?? throw c.Layer.Malformed("axes is missing")).Select(axis => c.Axis(axis, c.RankOf(0))).ToArray();
        var coordinates = c.Flag("align_corners", true) ? "align_corners" : "asymmetric";
        return Resize(c, new(mode, coordinates, "simple", -0.75, axes, null, Pads(c, "pads_begin"), Pads(c, "pads_end")));
    }

    static string Interpolate4(Conversion c, int axesInput)
    {
        var (mode, calculation) = (c.Text("mode", ""), c.Text("shape_calculation_mode", "sizes"));
        if (mode is not ("nearest" or "linear" or "linear_onnx" or "cubic" or "bilinear_pillow" or "bicubic_pillow"))
            throw c.Layer.Refused($"with mode {mode}");
        RefuseAntialias(c, mode);
        var axes = (c.Has(axesInput) ? c.IntsOf(axesInput) : [.. Enumerable.Range(0, c.RankOf(0)).Select(axis => (long)axis)])
            .Select(axis => c.Axis(axis, c.RankOf(0))).ToArray();
        var scales = calculation switch
        {
            "sizes" => null,
            "scales" => c.FloatsOf(axesInput == 3 ? 2 : 1),
            _ => throw c.Layer.Malformed($"shape_calculation_mode is {calculation}"),
        };
        if (scales is not null && scales.Length != axes.Length) throw c.Layer.Malformed($"{scales.Length} scales for {axes.Length} axes");
        var (coordinates, nearest) = (c.Text("coordinate_transformation_mode", "half_pixel"), c.Text("nearest_mode", "round_prefer_floor"));
        return Resize(c, new(
            mode, coordinates, nearest, c.Float("cube_coeff", -0.75), axes, scales, Pads(c, "pads_begin"), Pads(c, "pads_end")));
    }

    static void RefuseAntialias(Conversion c, string mode)
    {
        if (mode is "linear" or "linear_onnx" && c.Flag("antialias", false)) throw c.Layer.Refused("with antialias");
    }

    // Fewer numbers than axes: the others are not padded.
    static long[] Pads(Conversion c, string name)
    {
        var pads = c.Ints(name) ?? [];
        if (pads.Length > c.RankOf(0)) throw c.Layer.Malformed($"{name} has more numbers than there are axes");
        return [.. pads, .. Enumerable.Repeat(0L, c.RankOf(0) - pads.Length)];
    }

    static string Resize(Conversion c, Request request)
    {
        var type = c.TypeOf(0);
        if (request.Mode != "nearest" && !Conversion.IsFloat(type)) throw c.Layer.Refused($"of {type} with mode {request.Mode}");
        var value = c.In(0);
        if (request.Begin.Concat(request.End).Any(pad => pad != 0))
            value = c.Op("Pad", [value, c.Ints([.. request.Begin, .. request.End]), c.Scalar(0, type)]);
        if (request.Axes.Any(axis => c.SizesOf(0)[axis] < 0 || c.OutputSizes()[axis] < 0)) return ResizeOpen(c, request, value);
        for (var i = 0; i < request.Axes.Length; i++)
        {
            var axis = request.Axes[i];
            var from = c.SizesOf(0)[axis] + request.Begin[axis] + request.End[axis];
            var to = c.OutputSizes()[axis];
            var scale = (float)(request.Scales?[i] ?? (double)((float)to / from));
            if (from == to && scale == 1) continue;
            if (from < 1 || to < 1 || !(scale > 0)) throw c.Layer.Malformed($"axis {axis} of {from} is to have {to}");
            c.Bounded(to);
            value = ResizeAxis(c, request, value, axis, new(from, to, scale));
        }

        return c.Op("Identity", [value]);
    }

    static string ResizeAxis(Conversion c, Request request, string value, int axis, ResizedAxis sizes)
    {
        if (request.Mode.EndsWith("_pillow", StringComparison.Ordinal))
        {
            c.Bounded(sizes.From * sizes.To);
            var matrix = sizes.Pillow(request.Mode == "bicubic_pillow" ? request.Cube : null);
            return Matrices.Along(c, value, c.RankOf(0), axis, c.Constant(c.TypeOf(0), [sizes.From, sizes.To], matrix));
        }

        var coordinates = sizes.Coordinates(request.Coordinates)
            ?? throw c.Layer.Malformed($"coordinate_transformation_mode is {request.Coordinates}");
        if (request.Mode == "nearest")
        {
            var places = sizes.Nearest(coordinates, request.Nearest) ?? throw c.Layer.Malformed($"nearest_mode is {request.Nearest}");
            return c.Op("Gather", [value, c.Ints(places)], new OnnxAttribute("axis", axis));
        }

        var taps = request.Mode == "cubic" ? sizes.Cubic(coordinates, request.Cube) : sizes.Linear(coordinates);
        string? sum = null;
        long[] column = [sizes.To, .. Enumerable.Repeat(1L, c.RankOf(0) - axis - 1)];
        foreach (var (places, weights) in taps)
        {
            var picked = c.Op("Gather", [value, c.Ints(places)], new OnnxAttribute("axis", axis));
            var weighted = c.Mul(picked, c.Constant(c.TypeOf(0), [.. column], weights));
            sum = sum is null ? weighted : c.Add(sum, weighted);
        }

        return sum!;
    }

    static string ResizeOpen(Conversion c, Request request, string value)
    {
        var mode = request.Mode switch
        {
            "linear" or "linear_onnx" when c.RankOf(0) == 4 => "linear",
            "nearest" when request.Nearest != "simple" => "nearest",
            "cubic" when c.RankOf(0) == 4 => "cubic",
            _ => throw c.Layer.Refused($"with mode {request.Mode} and open sizes"),
        };
        if (request.Coordinates is not ("half_pixel" or "pytorch_half_pixel" or "align_corners" or "asymmetric"))
            throw c.Layer.Refused($"with {request.Coordinates} and open sizes");
        // The engine has code for whole images, not for some axes in another order.
        if (c.RankOf(0) == 4 && request.Axes is not ([2, 3] or [0, 1, 2, 3])) throw c.Layer.Refused("with open sizes along these axes");
        string[] inputs = request.Scales is { } scales
            ? [value, "", c.Graph.AddFloats([.. scales.Select(scale => (float)scale)])] : [value, "", "", c.Row(1)];
        return c.Op(
            "Resize", inputs, new OnnxAttribute("mode", mode), new OnnxAttribute("coordinate_transformation_mode", request.Coordinates),
            new OnnxAttribute("nearest_mode", request.Nearest == "simple" ? "floor" : request.Nearest),
            new OnnxAttribute("cubic_coeff_a", (float)request.Cube),
            new OnnxAttribute("axes", [.. request.Axes.Select(axis => (long)axis)]));
    }
}
