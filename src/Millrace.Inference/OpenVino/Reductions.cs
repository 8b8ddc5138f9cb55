using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Reductions over axes, and what runs along one.</summary>
static class Reductions
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        Reduction("ReduceSum", 1, "ReduceSum"), Reduction("ReduceMean", 1, "ReduceMean"), Reduction("ReduceMax", 1, "ReduceMax"),
        Reduction("ReduceMin", 1, "ReduceMin"), Reduction("ReduceProd", 1, "ReduceProd"), Reduction("ReduceL1", 4, "ReduceL1"),
        Reduction("ReduceL2", 4, "ReduceL2"), Reduction("ReduceLogicalAnd", 1, "ReduceMin"), Reduction("ReduceLogicalOr", 1, "ReduceMax"),
        new("CumSum", 3, CumSum),
        new("TopK", 1, TopK), new("TopK", 3, TopK), new("TopK", 11, TopK),
        new("NonZero", 3, c => c.As(c.Op("NonZero", [c.WideIn(0)]), TensorType.I64, c.OutputType())),
        new("Bucketize", 3, Bucketize), new("SearchSorted", 15, SearchSorted), new("Unique", 10, Unique),
    ];

    static Operator Reduction(string type, int opset, string op) => new(type, opset, c =>
    {
        var wide = c.TypeOf(0) == TensorType.U64 ? throw c.Layer.Refused("on U64") : Conversion.Wide(c.TypeOf(0));
        string Reduced(string op, string value) => c.Op(
            op, [value, c.Row(1)],
            new OnnxAttribute("keepdims", c.Flag("keep_dims", false) ? 1 : 0),
            // No axes: nothing is reduced.
            new OnnxAttribute("noop_with_empty_axes", 1));
        if (op != "ReduceMean" || Conversion.IsFloat(wide)) return c.As(Reduced(op, c.WideIn(0)), wide, c.OutputType());
        // The mean of whole numbers is their sum, divided and cut off.
        var whole = c.As(c.In(0), c.TypeOf(0), TensorType.I64);
        var count = Reduced("ReduceSum", c.Op("Expand", [c.Graph.AddInt(1), c.Shape(whole)]));
        var mean = c.Div(Reduced("ReduceSum", whole), Divisors.Checked(c.Graph, count, TensorType.I64));
        return c.As(mean, TensorType.I64, c.OutputType());
    });

    static string CumSum(Conversion c)
    {
        var wide = Conversion.Wide(c.TypeOf(0));
        var axis = !c.Has(1) ? c.Graph.AddInt(0) : c.RankOf(1) == 0 ? c.Int64(1) : c.Reshape(c.Int64(1));
        var sums = c.Op(
            "CumSum", [c.WideIn(0), axis],
            new OnnxAttribute("exclusive", c.Flag("exclusive", false) ? 1 : 0),
            new OnnxAttribute("reverse", c.Flag("reverse", false) ? 1 : 0));
        return c.As(sums, wide, c.OutputType());
    }

    static string[] TopK(Conversion c)
    {
        if (c.TypeOf(0) == TensorType.U64) throw c.Layer.Refused("on U64");
        var (wide, axis, sort) = (Conversion.Wide(c.TypeOf(0)), c.Axis(c.Int("axis"), c.RankOf(0)), c.Text("sort", "value"));
        var isLargest = c.Text("mode", "max") switch
        {
            "max" => true,
            "min" => false,
            var mode => throw c.Layer.Malformed($"mode is {mode}"),
        };
        var (values, indices) = Largest(c, c.WideIn(0), c.Row(1), axis, isLargest);
        if (sort == "index")
        {
            var (inOrder, places) = Largest(c, indices, c.Row(1), axis, isLargest: false);
            values = c.Op("GatherElements", [values, places], new OnnxAttribute("axis", axis));
            indices = inOrder;
        }
        else if (sort is not ("value" or "none"))
        {
            throw c.Layer.Malformed($"sort is {sort}");
        }

        string[] outputs = [c.As(values, wide, c.OutputType()), .. c.Layer.Outputs.Length > 1
            ? [c.As(indices, TensorType.I64, c.OutputType(1))] : Array.Empty<string>()];
        return outputs;
    }

    static (string Values, string Indices) Largest(Conversion c, string value, string count, int axis, bool isLargest)
    {
        var both = c.Graph.AddNodes(
            "TopK", [value, count], 2, new OnnxAttribute("axis", axis), new OnnxAttribute("largest", isLargest ? 1 : 0));
        return (both[0], both[1]);
    }

    // Where a value would go: how many of its own row lie below.
    static string SearchSorted(Conversion c)
    {
        var type = Conversion.IsFloat(c.TypeOf(0)) ? TensorType.F64 : TensorType.I64;
        if (c.TypeOf(0) == TensorType.U64) throw c.Layer.Refused("on U64");
        var (sorted, values) = (c.Unsqueeze(c.As(c.In(0), c.TypeOf(0), type), -2), c.Unsqueeze(c.As(c.In(1), c.TypeOf(1), type), -1));
        var lies = c.Op(c.Flag("right_mode", false) ? "GreaterOrEqual" : "Greater", [values, sorted]);
        var count = c.Op("ReduceSum", [c.Cast(lies, TensorType.I64), c.Ints(-1)], new OnnxAttribute("keepdims", 0));
        return c.As(count, TensorType.I64, c.OutputType());
    }

    static string[] Unique(Conversion c)
    {
        var wide = c.TypeOf(0) switch
        {
            TensorType.F16 => TensorType.F32,
            TensorType.F32 or TensorType.F64 => c.TypeOf(0),
            TensorType.U64 => throw c.Layer.Refused("on U64"),
            _ => TensorType.I64,
        };
        List<OnnxAttribute> attributes = [new("sorted", c.Flag("sorted", true) ? 1 : 0)];
        if (c.Has(1)) attributes.Add(new("axis", c.Axis(c.IntOf(1), c.RankOf(0))));
        var outputs = c.Graph.AddNodes("Unique", [c.As(c.In(0), c.TypeOf(0), wide)], 4, [.. attributes]);
        return [.. c.Layer.Outputs.Select((port, at) => c.As(outputs[at], at == 0 ? wide : TensorType.I64, port.Type))];
    }

    // A bucket's number is how many of the bounds lie below.
    static string Bucketize(Conversion c)
    {
        var type = Conversion.IsFloat(c.TypeOf(0)) || Conversion.IsFloat(c.TypeOf(1)) ? TensorType.F64 : TensorType.I64;
        var (x, bounds) = (c.Unsqueeze(c.As(c.In(0), c.TypeOf(0), type), -1), c.As(c.In(1), c.TypeOf(1), type));
        var lies = c.Op(c.Flag("with_right_bound", true) ? "Greater" : "GreaterOrEqual", [x, bounds]);
        var count = c.Op("ReduceSum", [c.Cast(lies, TensorType.I64), c.Ints(-1)], new OnnxAttribute("keepdims", 0));
        return c.As(count, TensorType.I64, c.OutputType());
    }
}
