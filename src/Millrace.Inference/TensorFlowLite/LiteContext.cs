using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite;

/// <summary>One computation after another of a model; its variables live between them.</summary>
sealed class LiteContext(LiteGraph graph, Machine machine) : INnContext
{
    bool _isComputed;

    public void SetInput(int index, Tensor tensor)
    {
        TensorPort.CheckInput(graph.Inputs, index, tensor);
        var target = machine.Main.Inputs[index];
        machine.Place(target, [.. tensor.Dimensions.Select(static size => (int)size)]);
        tensor.Data.Span.CopyTo(target.Bytes);
    }

    public void Compute(CancellationToken cancel)
    {
        _isComputed = false;
        for (var i = 0; i < graph.Inputs.Length; i++)
        {
            if (!machine.Main.Inputs[i].HasElements) throw Invalid($"input {i} ({graph.Inputs[i].Name}) has not been set");
        }

        machine.Compute(cancel);
        _isComputed = true;
    }

    public Tensor GetOutput(int index)
    {
        if (index < 0 || index >= graph.Outputs.Length)
            throw Invalid($"there is no output {index}: the model has {graph.Outputs.Length}");
        if (!_isComputed) throw Invalid("nothing has been computed yet");
        var output = machine.Main.Outputs[index];
        return new Tensor(graph.Outputs[index].Type!.Value, [.. output.Shape.Select(static size => (long)size)], output.Bytes.ToArray());
    }

    public void Dispose()
    {
    }

    static NnException Invalid(string message) => new(NnErrno.InvalidArgument, message);
}
