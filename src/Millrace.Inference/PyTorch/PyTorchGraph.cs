using System.Collections.Immutable;
using Millrace.Inference.Native;
using Millrace.Nn;

namespace Millrace.Inference.PyTorch;

/// <summary>A loaded module. What types and sizes it takes is known to its script alone.</summary>
sealed class PyTorchGraph(TorchModel model) : INnGraph
{
    public ImmutableArray<TensorPort> Inputs { get; } = [.. model.Inputs.Select(name => new TensorPort(name, null, default))];

    /// <summary>Of a module that gives a list, only a computation tells how many there are.</summary>
    public ImmutableArray<TensorPort> Outputs { get; private set; } = Ports(model.Outputs ?? 0);

    public INnContext CreateContext() => new PyTorchContext(this, model);

    public void Dispose() => model.Dispose();

    /// <summary>Takes note of what a computation gave.</summary>
    public void Gave(int outputs)
    {
        if (outputs != Outputs.Length) Outputs = Ports(outputs);
    }

    static ImmutableArray<TensorPort> Ports(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new TensorPort($"output{i}", null, default))];
}
