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

        public INnContext CreateContext() => graph.CreateContext() switch
        {
            INnTextContext text => new TextContext(owner, text),
            var context => new Context(owner, context),
        };

        public void Dispose() => graph.Dispose();
    }

    sealed class TextContext(CountingBackend owner, INnTextContext text) : Context(owner, text), INnTextContext
    {
        bool _hasBegun;

        public void ComputeSingle(CancellationToken cancel)
        {
            if (!_hasBegun) Begin(cancel);
            _hasBegun = true;
            text.ComputeSingle(cancel);
        }

        public Tensor GetOutputSingle(int index) => text.GetOutputSingle(index);

        public void FinishSingle() => text.FinishSingle();
    }

    class Context(CountingBackend owner, INnContext context) : INnContext
    {
        public void SetInput(int index, Tensor tensor) => context.SetInput(index, tensor);

        public void Compute(CancellationToken cancel)
        {
            Begin(cancel);
            context.Compute(cancel);
        }

        protected void Begin(CancellationToken cancel)
        {
            Interlocked.Increment(ref owner._computes);
            owner.OnCompute(cancel);
        }

        public Tensor GetOutput(int index) => context.GetOutput(index);

        public void Dispose() => context.Dispose();
    }
}
