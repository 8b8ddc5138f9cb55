using System.Collections.Immutable;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite;

/// <summary>One computation after another of a model; its variables live between them.</summary>
sealed class LiteContext(LiteGraph graph, Machine machine) : INnContext
{
    bool _isComputed;

    public void SetInput(int index, Tensor tensor)
    {
        if (index < 0 || index >= graph.Inputs.Length)
            throw Invalid($"there is no input {index}: the model has {graph.Inputs.Length}");
        var port = graph.Inputs[index];
        if (tensor.Type != port.Type) throw Invalid($"input {index} ({port.Name}) takes {port.Type}, not {tensor.Type}");
        if (!Fits(port.Dimensions, tensor.Dimensions))
            throw Invalid($"input {index} ({port.Name}) takes {Sizes(port.Dimensions)}, not {Sizes(tensor.Dimensions)}");
        var bytes = (long)Tensor.Count(tensor.Dimensions) * Tensor.Bytes(tensor.Type);
        if (tensor.Data.Length != bytes) throw Invalid($"input {index} ({port.Name}) takes {bytes} bytes, not {tensor.Data.Length}");
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

    static bool Fits(ImmutableArray<long> wanted, ImmutableArray<long> given) =>
        wanted.Length == given.Length
            && wanted.Zip(given).All(static pair => pair.First == pair.Second || (pair.First == -1 && pair.Second >= 0));

    static string Sizes(ImmutableArray<long> dimensions) => $"[{string.Join(", ", dimensions)}]";

    static NnException Invalid(string message) => new(NnErrno.InvalidArgument, message);
}
