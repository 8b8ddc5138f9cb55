using Millrace.Inference.TensorFlowLite.Format;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Execution;

/// <summary>Computes an operator's outputs from its inputs.</summary>
delegate void Kernel(Call call);

/// <summary>An operator as its kernel is chosen, when the model is loaded: what is known before any input.</summary>
sealed class Node(OperatorSpec spec, TensorSpec[] tensors, LiteModel model)
{
    public OperatorSpec Spec => spec;

    public string Name => spec.Name;

    public FlatTable Options => spec.Options;

    public int InputCount => spec.Inputs.Length;

    public int OutputCount => spec.Outputs.Length;

    public LiteModel Model => model;

    public TensorSpec Input(int index) => Optional(index) ?? throw Wrong($"input {index} is missing");

    public TensorSpec? Optional(int index) =>
        index < spec.Inputs.Length && spec.Inputs[index] >= 0 ? tensors[spec.Inputs[index]] : null;

    public TensorSpec Output(int index) => index < spec.Outputs.Length && spec.Outputs[index] >= 0
        ? tensors[spec.Outputs[index]] : throw Wrong($"output {index} is missing");

    public LiteType Type => Input(0).Type;

    /// <summary>The quantization of a tensor of whole numbers that stand for reals.</summary>
    public Quantization Quantized(TensorSpec tensor) =>
        tensor.Quantization ?? throw Wrong($"the tensor {tensor.Name} has no quantization");

    public Quantization QuantizedInput(int index) => Quantized(Input(index));

    public Quantization QuantizedOutput(int index = 0) => Quantized(Output(index));

    public void Require(bool holds, string what)
    {
        if (!holds) throw Wrong(what);
    }

    /// <summary>Refuses types that the kernels do not have.</summary>
    public void RequireType(TensorSpec tensor, params ReadOnlySpan<LiteType> types)
    {
        if (!types.Contains(tensor.Type)) throw Refuse($"of {tensor.Type} ({tensor.Name})");
    }

    public void RequireSameType(TensorSpec left, TensorSpec right)
    {
        if (left.Type != right.Type) throw Refuse($"from {left.Type} to {right.Type}");
    }

    public NnException Refuse(string what) =>
        new(NnErrno.UnsupportedOperation, $"{spec.Name} version {spec.Version} {what} is not supported");

    public NnException Wrong(string what) => new(NnErrno.InvalidEncoding, $"{spec.Name}: {what}");
}
