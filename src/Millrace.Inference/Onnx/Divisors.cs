using Millrace.Nn;

namespace Millrace.Inference.Onnx;

/// <summary>Whole numbers that are divided by 0 end the process that computes them. So an error comes first.</summary>
static class Divisors
{
    /// <summary>
    /// The divisor of a division of whole numbers. Where one of its elements is 0, an element is asked for that does not exist.
    /// </summary>
    public static string Checked(OnnxGraphBuilder graph, string divisor, TensorType type)
    {
        var scope = graph.Scope;
        graph.Scope = $"{scope}: division by 0";
        string Cast(string value, TensorType to) => graph.AddNode("Cast", [value], new OnnxAttribute("to", (int)to.ToOnnx()));
        var isZero = graph.AddNode("Equal", [divisor, Cast(graph.AddInt(0), type)]);
        var zeros = graph.AddNode("ReduceSum", [Cast(isZero, TensorType.I64)], new OnnxAttribute("keepdims", 0L));
        var nothing = graph.AddNode("Gather", [graph.AddInts(0), graph.AddNode("Min", [zeros, graph.AddInt(1)])]);
        var safe = graph.AddNode("Add", [divisor, Cast(nothing, type)]);
        graph.Scope = scope;
        return safe;
    }
}
