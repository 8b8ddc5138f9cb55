using Millrace.Inference.Onnx;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;

namespace Millrace.Inference.Tests.Onnx;

public sealed class OnnxBackendTests
{
    readonly OnnxBackend _backend = new();

    [SkippableFact]
    public void Stops_a_computation_that_would_never_end()
    {
        Skip.If(_backend.WhyAbsent is not null, _backend.WhyAbsent);
        var graph = new OnnxGraphBuilder();
        var x = graph.AddInput("x", TensorType.F32, [1]);
        var body = graph.Body();
        body.AddInput("iteration", TensorType.I64, []);
        var condition = body.AddInput("condition", TensorType.Bool, []);
        var state = body.AddInput("state", TensorType.F32, [1]);
        body.AddOutput("condition", condition, TensorType.Bool, []);
        body.AddOutput("state", body.AddNode("Add", [state, x]), TensorType.F32, [1]);
        var always = graph.AddConstant(Tensors.Of<byte>(TensorType.Bool, [], 1));
        graph.AddOutput("y", graph.AddNode("Loop", ["", always, x], new OnnxAttribute("body", body)), TensorType.F32, [1]);
        using var model = _backend.Load(new NnModel([graph.ToModel().Bytes]));
        using var context = model.CreateContext();
        context.SetInput(0, Tensors.Of<float>(TensorType.F32, [1], 1));
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));

        Assert.ThrowsAny<OperationCanceledException>(() => context.Compute(cancel.Token));
    }

    [SkippableFact]
    public void Names_an_operator_that_the_engine_does_not_have()
    {
        Skip.If(_backend.WhyAbsent is not null, _backend.WhyAbsent);
        var graph = new OnnxGraphBuilder { Scope = "odd" };
        graph.AddOutput("y", graph.AddNode("Frobnicate", [graph.AddInput("x", TensorType.F32, [1])]), TensorType.F32, [1]);

        var refusal = Assert.Throws<NnException>(() => _backend.Load(new NnModel([graph.ToModel().Bytes])));

        Assert.Equal(NnErrno.UnsupportedOperation, refusal.Errno);
        Assert.Contains("no operator Frobnicate as node odd uses it", refusal.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Names_an_output_that_is_a_sequence()
    {
        Skip.If(_backend.WhyAbsent is not null, _backend.WhyAbsent);
        // The output's declared type is taken away: only the engine knows then what it is.
        var graph = new OnnxGraphBuilder();
        var sequence = graph.AddNode("SequenceConstruct", [graph.AddInput("x", TensorType.F32, [1])]);
        var body = new ProtoMessage().Append(graph.GraphProto("main")).Message(12, new ProtoMessage().Text(1, sequence));
        var model = new ProtoMessage().Number(1, 10).Message(8, new ProtoMessage().Number(2, OnnxGraphBuilder.Opset)).Message(7, body);

        var refusal = Assert.Throws<NnException>(() => _backend.Load(new NnModel([model.ToArray()])));

        Assert.Equal(NnErrno.UnsupportedOperation, refusal.Errno);
        Assert.Contains($"output {sequence} is", refusal.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Computes_on_many_threads_at_once()
    {
        Skip.If(_backend.WhyAbsent is not null, _backend.WhyAbsent);
        var graph = new OnnxGraphBuilder();
        var x = graph.AddInput("x", TensorType.F32, [-1]);
        graph.AddOutput("y", graph.AddNode("Add", [x, x]), TensorType.F32, [-1]);
        using var model = _backend.Load(new NnModel([graph.ToModel().Bytes]));

        Parallel.For(1, 9, number =>
        {
            using var context = model.CreateContext();
            for (var time = 0; time < 200; time++)
            {
                context.SetInput(0, Tensors.Of(TensorType.F32, [number], [.. Enumerable.Repeat((float)time, number)]));
                context.Compute(default);
                var wanted = Tensors.Of(TensorType.F32, [number], [.. Enumerable.Repeat(2f * time, number)]);
                Assert.Null(Tensors.Difference(wanted, context.GetOutput(0), 0, 0));
            }
        });
    }

    // As exporters write a chain of conditions: each but the first lies in the one before it.
    [SkippableFact]
    public void Computes_conditions_in_one_another()
    {
        var backend = Present();
        using var graph = backend.Load(new NnModel([Nested(12)]));
        using var context = graph.CreateContext();
        context.SetInput(0, Tensors.Of(TensorType.F32, [1], 7f));

        context.Compute(default);

        Assert.Null(Tensors.Difference(Tensors.Of(TensorType.F32, [1], 7f), context.GetOutput(0), 0, 0));
    }

    [SkippableFact]
    public void Refuses_more_conditions_in_one_another_than_the_engine_loads_in_time()
    {
        var refusal = Assert.Throws<NnException>(() => Present().Load(new NnModel([Nested(OnnxReader.DepthMax + 1)])));

        Assert.Equal(NnErrno.TooLarge, refusal.Errno);
    }

    static OnnxBackend Present()
    {
        var backend = new OnnxBackend();
        Skip.If(backend.WhyAbsent is not null, backend.WhyAbsent);
        return backend;
    }

    static byte[] Nested(int depth)
    {
        var graph = new OnnxGraphBuilder();
        var x = graph.AddInput("x", TensorType.F32, [1]);
        graph.AddOutput("y", Chosen(graph, x, depth), TensorType.F32, [1]);
        return graph.ToModel().Bytes;
    }

    static string Chosen(OnnxGraphBuilder graph, string x, int depth)
    {
        if (depth == 0) return graph.AddNode("Identity", [x]);
        var isAbove = graph.AddNode("Greater", [x, graph.AddConstant(Tensors.Of(TensorType.F32, [1], (float)-depth))]);
        var (inner, other) = (graph.Body(), graph.Body());
        inner.AddOutput("inner", Chosen(inner, x, depth - 1), TensorType.F32, [1]);
        other.AddOutput("other", other.AddNode("Neg", [x]), TensorType.F32, [1]);
        return graph.AddNode("If", [isAbove], new OnnxAttribute("then_branch", inner), new OnnxAttribute("else_branch", other));
    }
}
