using System.Collections.Immutable;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite;

/// <summary>A loaded model: kernels with their weights arranged, shared by all contexts.</summary>
sealed class LiteGraph : INnGraph
{
    readonly Plan[] _plans;

    public LiteGraph(byte[] bytes)
    {
        _plans = Plan.Make(new ModelReader(bytes).Read());
        Inputs = Ports(_plans[0], _plans[0].Inputs);
        Outputs = Ports(_plans[0], _plans[0].Outputs);
    }

    public ImmutableArray<TensorPort> Inputs { get; }

    public ImmutableArray<TensorPort> Outputs { get; }

    public INnContext CreateContext() => new LiteContext(this, new Machine(_plans));

    public void Dispose()
    {
    }

    static ImmutableArray<TensorPort> Ports(Plan plan, int[] indices) => [.. indices.Select(index => Port(plan.Tensors[index]))];

    static TensorPort Port(TensorSpec spec)
    {
        var type = ElementTypes.Border(spec.Type)
            ?? throw new NnException(NnErrno.UnsupportedOperation, $"inputs and outputs of {spec.Type} ({spec.Name}) are not supported");
        return new TensorPort(spec.Name, type, [.. spec.Signature.Select(static size => (long)size)]);
    }
}
