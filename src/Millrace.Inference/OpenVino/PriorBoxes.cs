using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>
/// Boxes to begin with: the same few around the middle of each cell of a grid, as parts of the image. The sizes of grid and
/// image may be inputs.
/// </summary>
static class PriorBoxes
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("PriorBox", 1, PriorBox), new("PriorBox", 8, PriorBox), new("PriorBoxClustered", 1, Clustered),
    ];

    /// <summary>A box of a cell: where its middle lies from the cell's, and half of its size.</summary>
    /// <param name="Growth">Its size is multiplied by the image's height to the power of this.</param>
    /// <param name="StaysInside">It is cut off at the image's edge, whatever the others are.</param>
    sealed record Prior(double X, double Y, double HalfWidth, double HalfHeight, double Growth = 0, bool StaysInside = false);

    static string PriorBox(Conversion c)
    {
        var (step, offset) = (c.Float("step", 0), c.Float("offset", 0));
        var (grid, image) = (Sizes(c, 0), Sizes(c, 1));
        if (step == 0) return Output(c, Priors(c), c.Div(image, grid), 0.5);
        if (c.Flag("scale_all_sizes", true)) return Output(c, Priors(c), c.Constant(TensorType.F32, [2], step), offset);
        // Sizes and steps are parts of the image's height.
        var height = c.Slice(image, 0, 0, 1);
        var steps = step == -1 ? c.Div(height, c.Slice(grid, 0, 0, 1)) : c.Mul(height, c.Scalar(step, TensorType.F32));
        return Output(c, Priors(c), c.Concat(0, steps, steps), offset);
    }

    static string Clustered(Conversion c)
    {
        var (widths, heights) = (Floats(c, "width"), Floats(c, "height"));
        if (widths.Length != heights.Length) throw c.Layer.Malformed("width and height have not the same length");
        var (step, stepX, stepY) = (c.Float("step", 0), c.Float("step_w", 0), c.Float("step_h", 0));
        if (stepX == 0 && stepY == 0) (stepX, stepY) = (step, step);
        var steps = stepX == 0 && stepY == 0
            ? c.Div(Sizes(c, 1), Sizes(c, 0)) : c.Constant(TensorType.F32, [2], stepY, stepX);
        return Output(c, [.. widths.Zip(heights, (width, height) => new Prior(0, 0, width / 2, height / 2))], steps, c.Float("offset", 0));
    }

    static List<Prior> Priors(Conversion c)
    {
        var priors = new List<Prior>();
        var (minimal, maximal, ratios) = (Floats(c, "min_size"), Floats(c, "max_size"), Ratios(c));
        AddDense(c, priors, ratios);
        var (scalesAll, isRatioLast) = (c.Flag("scale_all_sizes", true), c.Flag("min_max_aspect_ratios_order", true));
        var growth = scalesAll ? 0 : 1;
        for (var i = 0; i < minimal.Length; i++)
        {
            priors.Add(new(0, 0, minimal[i] / 2, minimal[i] / 2, growth));
            var last = i < maximal.Length
                ? new Prior(0, 0, Math.Sqrt(minimal[i] * maximal[i]) / 2, Math.Sqrt(minimal[i] * maximal[i]) / 2, growth / 2.0) : null;
            if (last is not null && isRatioLast) priors.Add(last);
            if (scalesAll || i == minimal.Length - 1)
            {
                var half = minimal[scalesAll ? i : 0] / 2;
                priors.AddRange(ratios.Select(ratio => new Prior(0, 0, half * Math.Sqrt(ratio), half / Math.Sqrt(ratio), growth)));
            }

            if (last is not null && !isRatioLast) priors.Add(last);
        }

        return priors;
    }

    // Several boxes of one size, spread over it.
    static void AddDense(Conversion c, List<Prior> priors, List<double> ratios)
    {
        var (sizes, densities, given) = (Floats(c, "fixed_size"), Floats(c, "density"), Floats(c, "fixed_ratio"));
        if (densities.Length < sizes.Length) throw c.Layer.Malformed("density has fewer numbers than fixed_size");
        for (var i = 0; i < sizes.Length; i++)
        {
            var (size, density, shift) = (sizes[i], densities[i], sizes[i] / densities[i]);
            if (density is < 1 or > 1000) throw c.Layer.Malformed($"density is {density}");
            foreach (var ratio in given.Length > 0 ? given : [1, .. ratios])
            {
                for (var at = 0; at < (int)density * (int)density; at++)
                {
                    var (row, column) = Math.DivRem(at, (int)density);
                    priors.Add(new(
                        -size / 2 + shift / 2 + column * shift, -size / 2 + shift / 2 + row * shift,
                        size / 2 * Math.Sqrt(ratio), size / 2 / Math.Sqrt(ratio), StaysInside: true));
                }
            }
        }
    }

    // Each once, and never the square, which is always there.
    static List<double> Ratios(Conversion c)
    {
        var (ratios, isFlipped) = (new List<double> { 1 }, c.Flag("flip", false));
        foreach (var ratio in Floats(c, "aspect_ratio"))
        {
            if (ratio <= 0) throw c.Layer.Malformed($"aspect_ratio is {ratio}");
            if (ratios.Exists(known => Math.Abs(known - ratio) < 1e-6)) continue;
            ratios.Add(ratio);
            if (isFlipped) ratios.Add(1 / ratio);
        }

        return ratios[1..];
    }

    // A row of boxes, and a row of what their coordinates are multiplied by. Steps: down, across.
    static string Output(Conversion c, List<Prior> priors, string steps, double offset)
    {
        var (grid, image) = (c.Row(0), Sizes(c, 1));
        var height = c.Slice(image, 0, 0, 1);
        string Column(Func<Prior, double> part) => c.Constant(TensorType.F32, [priors.Count], [.. priors.Select(part)]);
        var growth = c.Op("Pow", [height, Column(prior => prior.Growth)]);
        var (halfWidth, halfHeight) = (c.Mul(Column(prior => prior.HalfWidth), growth), c.Mul(Column(prior => prior.HalfHeight), growth));
        var x = c.Add(c.Unsqueeze(Centres(c, grid, steps, offset, 1), 0, 2), Column(prior => prior.X));
        var y = c.Add(c.Unsqueeze(Centres(c, grid, steps, offset, 0), 1, 2), Column(prior => prior.Y));
        var shape = c.Concat(0, grid, c.Ints(priors.Count));
        string Edge(string centre, string half, string op, int axis) =>
            c.Unsqueeze(c.Op("Expand", [c.Div(c.Op(op, [centre, half]), c.Slice(image, 0, axis, axis + 1)), shape]), 3);
        var boxes = c.Concat(
            3, Edge(x, halfWidth, "Sub", 1), Edge(y, halfHeight, "Sub", 0), Edge(x, halfWidth, "Add", 1), Edge(y, halfHeight, "Add", 0));
        var inside = c.Op("Min", [c.Op("Max", [boxes, c.Scalar(0, TensorType.F32)]), c.Scalar(1, TensorType.F32)]);
        var stays = c.Constant(TensorType.Bool, [priors.Count, 1], [.. priors.Select(prior => prior.StaysInside || c.Flag("clip", false)
            ? 1.0 : 0)]);
        var row = c.Reshape(c.Where(stays, inside, boxes), 1, -1);
        var variances = Floats(c, "variance");
        if (variances.Length == 0) variances = [0.1];
        if (variances.Length is not (1 or 4)) throw c.Layer.Malformed($"variance has {variances.Length} numbers");
        var count = c.Div(c.Slice(c.Shape(row), 0, 1, 2), c.Ints(4));
        var factors = c.Op("Expand", [c.Constant(TensorType.F32, [1, variances.Length], variances), c.Concat(0, count, c.Ints(4))]);
        return c.As(c.Concat(0, row, c.Reshape(factors, 1, -1)), TensorType.F32, c.OutputType());
    }

    static string Centres(Conversion c, string grid, string steps, double offset, int axis)
    {
        var count = c.Squeeze(c.Slice(grid, 0, axis, axis + 1), 0);
        var places = c.Cast(c.Op("Range", [c.Graph.AddInt(0), count, c.Graph.AddInt(1)]), TensorType.F32);
        return c.Mul(c.Add(places, c.Scalar(offset, TensorType.F32)), c.Slice(steps, 0, axis, axis + 1));
    }

    static string Sizes(Conversion c, int index) => c.Cast(c.Row(index), TensorType.F32);

    static double[] Floats(Conversion c, string name) => Attributes.Floats(c.Layer, name) ?? [];
}
