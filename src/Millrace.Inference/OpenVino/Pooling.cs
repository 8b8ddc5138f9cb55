using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Pooling by windows, and to a given size.</summary>
static class Pooling
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("MaxPool", 1, Max), new("MaxPool", 8, Max), new("MaxPool", 14, Max),
        new("AvgPool", 1, Average), new("AvgPool", 14, Average), new("AvgPool", 16, Average),
        new("AdaptiveAvgPool", 8, AdaptiveAverage), new("AdaptiveMaxPool", 8, AdaptiveMaximum),
    ];

    static string[] Max(Conversion c)
    {
        var windows = new Windows(c, Kernel(c));
        // Single precision holds bytes exactly, double precision all of 32 bits.
        var type = c.TypeOf(0) switch
        {
            TensorType.F16 or TensorType.F32 or TensorType.U8 or TensorType.I8 or TensorType.U16 or TensorType.I16 => TensorType.F32,
            TensorType.I64 or TensorType.U64 or TensorType.Bool => throw c.Layer.Refused($"on {c.TypeOf(0)}"),
            _ => TensorType.F64,
        };
        var hasIndices = c.IsUsed(1);
        var x = c.As(c.In(0), c.TypeOf(0), type);
        var attributes = Place(c, windows);
        if (!hasIndices)
        {
            var value = c.As(c.Op("MaxPool", [x], attributes), type, c.OutputType());
            return c.Layer.Outputs.Length > 1 ? [value, c.Cast(c.Shape(value), c.OutputType(1))] : [value];
        }

        var pooled = c.Graph.AddNodes("MaxPool", [x], 2, attributes);
        return [c.As(pooled[0], type, c.OutputType()), Indices(c, pooled[1])];
    }

    // Counted from the axis on: the indices begin anew in each part before it.
    static string Indices(Conversion c, string indices)
    {
        var axis = c.Axis(c.Int("axis", 0), c.RankOf(0));
        if (axis > 0)
        {
            var sizes = c.SizesOf(0)[axis..];
            if (sizes.Contains(-1)) throw c.Layer.Refused("with indices and open sizes");
            indices = c.Op("Mod", [indices, c.Graph.AddInt(sizes.Aggregate(1L, (product, size) => product * size))]);
        }

        return c.As(indices, TensorType.I64, c.OutputType(1));
    }

    static string Average(Conversion c)
    {
        var windows = new Windows(c, Kernel(c));
        if (!Conversion.IsFloat(c.TypeOf(0))) throw c.Layer.Refused($"on {c.TypeOf(0)}");
        var isTorch = c.Text("rounding_type", "floor") == "ceil_torch";
        var x = c.As(c.In(0), c.TypeOf(0), TensorType.F32);
        var sizes = c.SizesOf(0)[2..].ToArray();
        if (!sizes.Contains(-1)) windows.Resolve(sizes);
        var hasPads = windows.Begin.Concat(windows.End).Any(pad => pad != 0) || windows.IsSame;
        var countsPads = !c.Flag("exclude-pad", false) && hasPads;
        if (countsPads && isTorch && !windows.IsSame)
        {
            // The border counts, and what a last window has beyond the border does not.
            if (sizes.Contains(-1)) throw c.Layer.Refused("with rounding up and open sizes");
            long[] border = [.. windows.End];
            RoundUp(windows, sizes, isTorch);
            long[] counted = [.. border.Zip(windows.End, Math.Min)];
            x = Windows.Pad(c, x, TensorType.F32, windows.Begin, counted, with: 0);
            for (var i = 0; i < sizes.Length; i++) (windows.Begin[i], windows.End[i]) = (0, windows.End[i] - counted[i]);
            var inside = c.Op("AveragePool", [x], windows.Attributes(isResolved: true));
            return c.As(inside, TensorType.F32, c.OutputType());
        }

        var pooled = c.Op("AveragePool", [x], [.. Place(c, windows), new("count_include_pad", countsPads ? 1 : 0)]);
        return c.As(pooled, TensorType.F32, c.OutputType());
    }

    // Rounding up is written as a wider border at the end, and dropping a window as a narrower one.
    static void RoundUp(Windows windows, ReadOnlySpan<long> sizes, bool isTorch)
    {
        for (var i = 0; i < sizes.Length; i++)
        {
            var (stride, reach, whole) = (windows.Strides[i], windows.Reach(i), sizes[i] + windows.Begin[i] + windows.End[i]);
            var count = (whole - reach + stride - 1) / stride + 1;
            if (isTorch && (count - 1) * stride >= sizes[i] + windows.Begin[i]) count--;
            var rounded = (whole - reach) / stride + 1;
            if (count > rounded) windows.End[i] += (count - 1) * stride + reach - whole;
            if (count < rounded) windows.End[i] -= whole - (count * stride + reach - 1);
        }
    }

    // The engine's own way of rounding up drops windows that OpenVINO keeps.
    static OnnxAttribute[] Place(Conversion c, Windows windows)
    {
        var sizes = c.SizesOf(0).AsSpan()[2..];
        var rounding = c.Text("rounding_type", "floor");
        if (rounding is not ("floor" or "ceil" or "ceil_torch")) throw c.Layer.Malformed($"rounding_type is {rounding}");
        var isKnown = sizes.IndexOf(-1) < 0;
        if (!isKnown)
        {
            if (rounding == "floor") return windows.Attributes(isResolved: false);
            var canDrop = Enumerable.Range(0, windows.Kernel.Length)
                .Any(i => windows.End[i] + windows.Strides[i] - 1 >= windows.Reach(i));
            if (windows.IsSame || rounding == "ceil" && canDrop) throw c.Layer.Refused("with rounding up and open sizes");
            return [.. windows.Attributes(isResolved: true), new("ceil_mode", 1)];
        }

        windows.Resolve(sizes);
        if (rounding != "floor" && !windows.IsSame) RoundUp(windows, sizes, rounding == "ceil_torch");
        // The engine wants borders smaller than the window: a window of nothing but border has no maximum and no mean.
        var isWide = Enumerable.Range(0, sizes.Length).Any(i => Math.Max(windows.Begin[i], windows.End[i]) >= windows.Kernel[i]);
        return isWide ? throw c.Layer.Refused("with a border as wide as its window") : windows.Attributes(isResolved: true);
    }

    // Along each axis a matrix takes the means: what a mean over a box is.
    static string AdaptiveAverage(Conversion c)
    {
        if (!Conversion.IsFloat(c.TypeOf(0))) throw c.Layer.Refused($"on {c.TypeOf(0)}");
        var (wanted, value, rank) = (c.IntsOf(1), c.In(0), c.RankOf(0));
        if (wanted.Length != rank - 2) throw c.Layer.Malformed($"its output size has not {rank - 2} numbers");
        for (var i = 0; i < wanted.Length; i++)
        {
            var size = c.SizesOf(0)[i + 2];
            if (size < 0) throw c.Layer.Refused("with open sizes");
            var means = new double[c.Bounded(size * c.Bounded(wanted[i]))];
            for (long part = 0; part < wanted[i]; part++)
            {
                var (from, to) = (part * size / wanted[i], ((part + 1) * size + wanted[i] - 1) / wanted[i]);
                for (var at = from; at < to; at++) means[at * wanted[i] + part] = 1.0 / (to - from);
            }

            value = Matrices.Along(c, value, rank, i + 2, c.Constant(c.TypeOf(0), [size, wanted[i]], means));
        }

        return value;
    }

    // The places of each window lie in a row of a table; shorter windows have their first place again.
    static string[] AdaptiveMaximum(Conversion c)
    {
        if (!Conversion.IsFloat(c.TypeOf(0))) throw c.Layer.Refused($"on {c.TypeOf(0)}");
        var (wanted, sizes) = (c.IntsOf(1), c.SizesOf(0)[2..].ToArray());
        if (wanted.Length != sizes.Length) throw c.Layer.Malformed($"its output size has not {sizes.Length} numbers");
        if (sizes.Contains(-1)) throw c.Layer.Refused("with open sizes");
        var windows = new List<List<long>> { new() { 0 } };
        for (var axis = 0; axis < sizes.Length; axis++)
        {
            var (size, count) = (sizes[axis], wanted[axis]);
            if (size < 1 || count < 1) throw c.Layer.Malformed($"axis {axis + 2} of {size} is to have {count}");
            c.Bounded(windows.Count * c.Bounded(count));
            windows = [.. windows.SelectMany(_ => Enumerable.Range(0, (int)count), (window, part) =>
            {
                var (from, to) = (part * size / count, ((part + 1) * size + count - 1) / count);
                c.Bounded(windows.Count * (to - from) * window.Count);
                return window.SelectMany(_ => Enumerable.Range((int)from, (int)(to - from)), (at, place) => at * size + place).ToList();
            })];
        }

        var longest = windows.Max(window => window.Count);
        c.Bounded((long)longest * windows.Count);
        long[] table = [.. windows.SelectMany(window => window.Concat(Enumerable.Repeat(window[0], longest - window.Count)))];
        var flat = c.Reshape(c.As(c.In(0), c.TypeOf(0), TensorType.F32), 0, 0, -1);
        var rows = c.Reshape(c.Op("Gather", [flat, c.Ints(table)], new OnnxAttribute("axis", 2)), 0, 0, windows.Count, longest);
        var best = c.Op("ArgMax", [rows], new OnnxAttribute("axis", 3), new OnnxAttribute("keepdims", 0));
        var begins = c.Ints([.. Enumerable.Range(0, windows.Count).Select(row => (long)row * longest)]);
        var values = c.Op("ReduceMax", [rows, c.Ints(3)], new OnnxAttribute("keepdims", 0));
        var indices = c.Op("Gather", [c.Ints(table), c.Add(best, begins)]);
        string Shaped(string value) => c.Reshape(value, [0, 0, .. wanted]);
        string[] outputs = [c.As(Shaped(values), TensorType.F32, c.OutputType())];
        return c.Layer.Outputs.Length == 1 ? outputs : [.. outputs, c.As(Shaped(indices), TensorType.I64, c.OutputType(1))];
    }

    static long[] Kernel(Conversion c) => c.Ints("kernel") ?? throw c.Layer.Malformed("kernel is missing");
}
