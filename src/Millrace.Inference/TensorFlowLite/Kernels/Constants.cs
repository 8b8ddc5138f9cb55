using System.Runtime.InteropServices;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Constants that are known before a computation though an operator gives them.</summary>
static class Constants
{
    /// <summary>The output of a DEQUANTIZE of stored weights; null for all else.</summary>
    public static TensorSpec? Fold(Node node)
    {
        const int Dequantize = 6;
        if (node.Spec.Code != Dequantize || node.InputCount != 1 || node.OutputCount != 1 || !node.Input(0).IsConstant) return null;
        var kernel = OperatorTable.KernelOf(node);
        var input = new LiteTensor(node.Input(0));
        var output = new LiteTensor(node.Output(0));
        node.Model.CountCopy(4L * input.Count);
        new Call(node.Spec, [input], [output], new Machine([])).Run(kernel);
        return node.Output(0) with { Constant = output.Bytes.ToArray(), Shape = output.Shape, Signature = output.Shape };
    }

    /// <summary>Whole numbers of a tensor that is known when the model is loaded; null where it is not.</summary>
    public static int[]? Ints(TensorSpec spec)
    {
        if (!spec.IsConstant || spec.Type != LiteType.Int32) return null;
        return MemoryMarshal.Cast<byte, int>(spec.Constant.AsSpan()).ToArray();
    }
}
