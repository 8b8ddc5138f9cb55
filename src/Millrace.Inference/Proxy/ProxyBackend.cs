using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.Proxy;

/// <summary>A backend whose graphs live in the worker's process: what a model does to it is not done to the host.</summary>
/// <param name="local">The same backend, asked only what it is.</param>
sealed class ProxyBackend(INnBackend local, InferenceClient client) : INnBackend
{
    public NnEncoding Encoding => local.Encoding;

    public string? WhyAbsent => local.WhyAbsent;

    public string Engine => local.Engine;

    public bool OpensFiles => true;

    public INnGraph Load(NnModel model)
    {
        ProxyLink link;
        try
        {
            link = new(client.WorkerAsync(default).GetAwaiter().GetResult());
        }
        catch (InferenceException e)
        {
            throw new NnException(NnErrno.RuntimeError, e.Message);
        }

        var facts = new NnModelFacts(
            Encoding, model.Target, [.. model.Builders.Select(builder => builder.Length)], model.Outputs)
        {
            Path = model.Path,
            Files = model.Files,
            Options = model.Options,
            TokensMax = model.TokensMax,
        };
        return new ProxyGraph(link, link.Ask(new(NnOperation.Load) { Model = facts }, model.Builders, model.Cancel).Nn!);
    }
}

/// <summary>A graph in the worker.</summary>
sealed class ProxyGraph(ProxyLink link, NnMessage loaded) : INnGraph
{
    public ImmutableArray<TensorPort> Inputs { get; } = Ports(loaded.Inputs);

    public ImmutableArray<TensorPort> Outputs { get; private set; } = Ports(loaded.Outputs);

    public INnContext CreateContext()
    {
        var created = link.Ask(new(NnOperation.Create) { Handle = loaded.Handle }).Nn!;
        return created.IsText ? new ProxyTextContext(this, link, created.Handle) : new ProxyContext(this, link, created.Handle);
    }

    /// <summary>Takes note of what a computation gave, where that is known only then.</summary>
    public void Computed(NnMessage answer)
    {
        if (answer.Outputs is not null) Outputs = Ports(answer.Outputs);
    }

    static ImmutableArray<TensorPort> Ports(ImmutableArray<NnPortFacts>? ports) => [.. ports!.Value.Select(port => port.ToPort())];

    public void Dispose() => link.Drop(new(NnOperation.Unload) { Handle = loaded.Handle });
}

/// <summary>A context in the worker.</summary>
class ProxyContext(ProxyGraph graph, ProxyLink link, long handle) : INnContext
{
    protected ProxyLink Link { get; } = link;

    protected long Handle { get; } = handle;

    public void SetInput(int index, Tensor tensor) => Link.Ask(
        new(NnOperation.SetInput) { Handle = Handle, Index = index, Type = tensor.Type, Dimensions = tensor.Dimensions },
        [tensor.Data]);

    public void Compute(CancellationToken cancel) => graph.Computed(Link.Ask(new(NnOperation.Compute) { Handle = Handle }, cancel).Nn!);

    public Tensor GetOutput(int index) => Output(NnOperation.GetOutput, index);

    public void Dispose() => Link.Drop(new(NnOperation.Finish) { Handle = Handle });

    protected Tensor Output(NnOperation operation, int index)
    {
        var first = Link.Ask(new(operation) { Handle = Handle, Index = index });
        var facts = first.Nn!;
        if (first.Body.Length == facts.Length) return new(facts.Type, facts.Dimensions ?? [], first.Body);
        var whole = new byte[facts.Length];
        first.Body.CopyTo(whole);
        for (var at = first.Body.Length; at < whole.Length;)
        {
            var part = Link.Ask(new(operation) { Handle = Handle, Index = index, Offset = at }).Body;
            if (part.IsEmpty) throw new NnException(NnErrno.RuntimeError, $"output {index} ended at {at} of {whole.Length} bytes");
            part.CopyTo(whole.AsMemory(at));
            at += part.Length;
        }

        return new(facts.Type, facts.Dimensions ?? [], whole);
    }
}

/// <summary>A context in the worker that computes token by token.</summary>
sealed class ProxyTextContext(ProxyGraph graph, ProxyLink link, long handle) : ProxyContext(graph, link, handle), INnTextContext
{
    public void ComputeSingle(CancellationToken cancel) => Link.Ask(new(NnOperation.ComputeSingle) { Handle = Handle }, cancel);

    public Tensor GetOutputSingle(int index) => Output(NnOperation.GetOutputSingle, index);

    public void FinishSingle() => Link.Ask(new(NnOperation.FinishSingle) { Handle = Handle });
}
