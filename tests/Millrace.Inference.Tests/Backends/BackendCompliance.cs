using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.Tests.Backends;

/// <summary>What the border promises of every backend. Each derives from it with a sample of its own.</summary>
public abstract class BackendCompliance
{
    BackendSample? _sample;

    protected abstract INnBackend Backend { get; }

    protected abstract BackendSample MakeSample();

    BackendSample Sample
    {
        get
        {
            Skip.If(Backend.WhyAbsent is not null, Backend.WhyAbsent);
            return _sample ??= MakeSample();
        }
    }

    [SkippableFact]
    public void Tells_the_ports_of_a_model_as_its_tensors_are()
    {
        using var graph = Backend.Load(Sample.Model);

        AssertPorts(graph.Inputs, Sample.Inputs);
        AssertPorts(graph.Outputs, Sample.Outputs);
    }

    [SkippableFact]
    public void Computes_what_the_sample_says_as_often_as_it_is_asked()
    {
        using var graph = Backend.Load(Sample.Model);
        using var context = Filled(graph);

        for (var time = 0; time < 3; time++)
        {
            context.Compute(default);
            AssertOutputs(context);
        }
    }

    [SkippableFact]
    public void Takes_an_input_anew_for_the_next_computation()
    {
        using var graph = Backend.Load(Sample.Model);
        using var context = Filled(graph);
        context.Compute(default);
        for (var i = 0; i < Sample.Inputs.Length; i++) context.SetInput(i, Blank(Sample.Inputs[i]));
        context.Compute(default);

        for (var i = 0; i < Sample.Inputs.Length; i++) context.SetInput(i, Sample.Inputs[i]);
        context.Compute(default);

        AssertOutputs(context);
    }

    [SkippableFact]
    public void Keeps_no_hold_of_the_bytes_that_an_input_was_set_with()
    {
        using var graph = Backend.Load(Sample.Model);
        using var context = graph.CreateContext();
        for (var i = 0; i < Sample.Inputs.Length; i++)
        {
            var bytes = Sample.Inputs[i].Data.ToArray();
            context.SetInput(i, Sample.Inputs[i] with { Data = bytes });
            bytes.AsSpan().Clear();
        }

        context.Compute(default);

        AssertOutputs(context);
    }

    [SkippableFact]
    public void Keeps_two_contexts_of_a_graph_apart()
    {
        using var graph = Backend.Load(Sample.Model);
        using var first = Filled(graph);
        using var second = graph.CreateContext();
        for (var i = 0; i < Sample.Inputs.Length; i++) second.SetInput(i, Blank(Sample.Inputs[i]));

        first.Compute(default);
        second.Compute(default);

        AssertOutputs(first);
    }

    [SkippableFact]
    public void Refuses_an_input_of_another_type()
    {
        Skip.If(Port.Type is null, "the backend's models leave the types open");
        var input = Sample.Inputs[0];
        var other = input.Type == TensorType.F64 ? TensorType.F32 : TensorType.F64;

        RefusesInput(0, new(other, input.Dimensions, new byte[Tensor.Count(input.Dimensions) * Tensor.Bytes(other)]));
    }

    [SkippableFact]
    public void Refuses_an_input_of_another_rank()
    {
        Skip.If(Port.Dimensions.IsDefault, "the backend's models leave the ranks open");

        RefusesInput(0, Sample.Inputs[0] with { Dimensions = Sample.Inputs[0].Dimensions.Add(1) });
    }

    [SkippableFact]
    public void Refuses_an_input_of_another_size()
    {
        using var graph = Backend.Load(Sample.Model);
        var input = Sample.Inputs[0];
        var declared = graph.Inputs[0].Dimensions;
        var axis = declared.IsDefault ? -1 : declared.LastIndexOf(input.Dimensions[^1]);
        Skip.If(axis < 0, "the sample's last size is open");
        var larger = input.Dimensions.SetItem(axis, input.Dimensions[axis] + 1);

        RefusesInput(0, new(input.Type, larger, new byte[Tensor.Count(larger) * Tensor.Bytes(input.Type)]));
    }

    [SkippableFact]
    public void Refuses_an_input_whose_bytes_are_too_few_or_too_many()
    {
        var input = Sample.Inputs[0];

        RefusesInput(0, input with { Data = input.Data[..^1] });
        RefusesInput(0, input with { Data = new byte[input.Data.Length + 1] });
        RefusesInput(0, input with { Data = default });
    }

    [SkippableTheory]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public void Refuses_an_index_that_no_port_has(int index)
    {
        RefusesInput(index, Sample.Inputs[0]);
        RefusesInput(Sample.Inputs.Length, Sample.Inputs[0]);
        using var graph = Backend.Load(Sample.Model);
        using var context = Filled(graph);
        context.Compute(default);

        Refuses(NnErrno.InvalidArgument, () => context.GetOutput(index));
        Refuses(NnErrno.InvalidArgument, () => context.GetOutput(Sample.Outputs.Length));
    }

    [SkippableFact]
    public void Refuses_to_compute_while_an_input_is_missing()
    {
        using var graph = Backend.Load(Sample.Model);
        using var context = graph.CreateContext();
        for (var i = 1; i < Sample.Inputs.Length; i++) context.SetInput(i, Sample.Inputs[i]);

        Refuses(NnErrno.InvalidArgument, () => context.Compute(default));
        context.SetInput(0, Sample.Inputs[0]);
        context.Compute(default);

        AssertOutputs(context);
    }

    [SkippableFact]
    public void Has_no_output_before_the_first_computation()
    {
        using var graph = Backend.Load(Sample.Model);
        using var context = Filled(graph);

        Refuses(NnErrno.InvalidArgument, () => context.GetOutput(0));
    }

    [SkippableFact]
    public void Stops_when_it_is_cancelled_and_can_compute_again()
    {
        using var graph = Backend.Load(Sample.Model);
        using var context = Filled(graph);

        Assert.ThrowsAny<OperationCanceledException>(() => context.Compute(new CancellationToken(canceled: true)));
        context.Compute(default);

        AssertOutputs(context);
    }

    [SkippableFact]
    public void Gives_its_outputs_although_the_graph_is_gone()
    {
        var graph = Backend.Load(Sample.Model);
        using var context = Filled(graph);
        context.Compute(default);

        graph.Dispose();
        graph.Dispose();

        AssertOutputs(context);
    }

    [SkippableFact]
    public void Survives_a_context_that_goes_before_or_after_its_graph()
    {
        var graph = Backend.Load(Sample.Model);
        var first = Filled(graph);
        var second = Filled(graph);
        first.Compute(default);

        first.Dispose();
        first.Dispose();
        second.Compute(default);
        AssertOutputs(second);
        graph.Dispose();
        second.Dispose();
    }

    [SkippableFact]
    public void Refuses_a_model_of_no_bytes() =>
        RefusesModel(Sample.Model with { Builders = [.. Sample.Model.Builders.Select(_ => ReadOnlyMemory<byte>.Empty)] });

    [SkippableFact]
    public void Refuses_a_model_without_builders() => RefusesModel(Sample.Model with { Builders = [] });

    [SkippableFact]
    public void Refuses_a_model_of_garbage()
    {
        var random = new Random(11);
        for (var time = 0; time < 20; time++)
        {
            var builders = Sample.Model.Builders.Select(builder => new ReadOnlyMemory<byte>(Garbage(random, builder.Length))).ToImmutableArray();

            RefusesModel(Sample.Model with { Builders = builders });
        }
    }

    [SkippableFact]
    public void Refuses_a_model_that_is_cut_short()
    {
        var whole = Sample.Model.Builders[0];
        for (var part = 1; part < 8; part++)
        {
            var cut = whole[..(whole.Length * part / 8)];

            RefusesModel(Sample.Model with { Builders = Sample.Model.Builders.SetItem(0, cut) });
        }
    }

    TensorPort Port
    {
        get
        {
            using var graph = Backend.Load(Sample.Model);
            return graph.Inputs[0];
        }
    }

    INnContext Filled(INnGraph graph)
    {
        var context = graph.CreateContext();
        for (var i = 0; i < Sample.Inputs.Length; i++) context.SetInput(i, Sample.Inputs[i]);
        return context;
    }

    void RefusesInput(int index, Tensor tensor)
    {
        using var graph = Backend.Load(Sample.Model);
        using var context = graph.CreateContext();

        Refuses(NnErrno.InvalidArgument, () => context.SetInput(index, tensor));
    }

    void RefusesModel(NnModel model)
    {
        var refusal = Assert.Throws<NnException>(() => Backend.Load(model).Dispose());

        Assert.NotEqual(NnErrno.Success, refusal.Errno);
        Assert.NotEmpty(refusal.Message);
    }

    void AssertOutputs(INnContext context)
    {
        for (var i = 0; i < Sample.Outputs.Length; i++)
            Assert.Null(Tensors.Difference(Sample.Outputs[i], context.GetOutput(i), Sample.Tolerance, Sample.Tolerance));
    }

    static void Refuses(NnErrno errno, Action act)
    {
        var refusal = Assert.Throws<NnException>(act);

        Assert.Equal(errno, refusal.Errno);
        Assert.NotEmpty(refusal.Message);
    }

    static void AssertPorts(ImmutableArray<TensorPort> ports, ImmutableArray<Tensor> tensors)
    {
        Assert.Equal(tensors.Length, ports.Length);
        foreach (var (port, tensor) in ports.Zip(tensors))
        {
            Assert.NotEmpty(port.Name);
            Assert.True(port.Type is null || port.Type == tensor.Type, $"{port.Name} is {port.Type}");
            if (port.Dimensions.IsDefault) continue;
            Assert.Equal(tensor.Dimensions.Length, port.Dimensions.Length);
            foreach (var (declared, real) in port.Dimensions.Zip(tensor.Dimensions)) Assert.True(declared < 0 || declared == real);
        }
    }

    static Tensor Blank(Tensor tensor) => tensor with { Data = new byte[tensor.Data.Length] };

    static byte[] Garbage(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
