using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Flows.Tests.Computing;

/// <summary>An engine, and how often it was asked.</summary>
sealed class CountingBackend(INnBackend engine) : INnBackend
{
    int _loads;
    int _computes;

    public int Loads => _loads;

    public int Computes => _computes;

    /// <summary>Called before a model is loaded.</summary>
    public Action OnLoad { get; init; } = () => { };

    /// <summary>Called before a computation.</summary>
    public Action<CancellationToken> OnCompute { get; set; } = _ => { };

    public NnEncoding Encoding => engine.Encoding;

    public string? WhyAbsent => engine.WhyAbsent;

    public INnGraph Load(NnModel model)
    {
        OnLoad();
        Interlocked.Increment(ref _loads);
        return new Graph(this, engine.Load(model));
    }

    sealed class Graph(CountingBackend owner, INnGraph graph) : INnGraph
    {
        public ImmutableArray<TensorPort> Inputs => graph.Inputs;

        public ImmutableArray<TensorPort> Outputs => graph.Outputs;

        public INnContext CreateContext() => new Context(owner, graph.CreateContext());

        public void Dispose() => graph.Dispose();
    }

    sealed class Context(CountingBackend owner, INnContext context) : INnContext
    {
        public void SetInput(int index, Tensor tensor) => context.SetInput(index, tensor);

        public void Compute(CancellationToken cancel)
        {
            Interlocked.Increment(ref owner._computes);
            owner.OnCompute(cancel);
            context.Compute(cancel);
        }

        public Tensor GetOutput(int index) => context.GetOutput(index);

        public void Dispose() => context.Dispose();
    }
}
