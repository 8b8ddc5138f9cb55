using Millrace.Inference.Onnx;
using Millrace.Inference.TensorFlow;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;

namespace Millrace.Inference.Tests.TensorFlow;

public sealed class TensorFlowGraphTests
{
    [Fact]
    public void Names_the_operator_that_is_not_in_the_set_and_its_node()
    {
        var file = X().Node("inverse", "MatrixInverse", ["x"]);

        var refusal = Refused(NnErrno.UnsupportedOperation, file.Bytes);

        Assert.Contains("MatrixInverse", refusal, StringComparison.Ordinal);
        Assert.Contains("\"inverse\"", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Reads_nothing_into_what_the_outputs_do_not_follow_from()
    {
        var file = X().Node("y", "Relu", ["x"]).Node("tag", "RandomTag", []).Node("seen", "HistogramSummary", ["tag", "y"]);

        Assert.Equal(["y:0"], Converted(file.Bytes));
    }

    [Fact]
    public void Gives_the_tensors_that_are_asked_for_by_name()
    {
        var file = X().Node("y", "Relu", ["x"]).Node("z", "Neg", ["y"]);

        Assert.Equal(["z:0"], Converted(file.Bytes));
        Assert.Equal(["y:0", "x:0", "z:0"], Converted(file.Bytes, "y", "x:0", "z"));
        Assert.Contains("nowhere", Refused(NnErrno.NotFound, file.Bytes, "nowhere"), StringComparison.Ordinal);
        Assert.Contains("no output 7", Refused(NnErrno.InvalidEncoding, file.Bytes, "y:7"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", "b", "a cycle")]
    [InlineData("x", "nowhere", "reads \"nowhere\"")]
    [InlineData("x", "x:y:z", "names no tensor")]
    public void Refuses_a_graph_whose_edges_are_wrong(string first, string second, string reason)
    {
        var file = X().Node("a", "Add", ["x", second]).Node("b", "Add", [first, "a"]);

        Assert.Contains(reason, Refused(NnErrno.InvalidEncoding, file.Bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_two_nodes_of_one_name() =>
        Assert.Contains("two nodes", Refused(NnErrno.InvalidEncoding, X().Node("x", "Neg", ["x"]).Bytes), StringComparison.Ordinal);

    [Fact]
    public void Refuses_a_function_that_calls_itself()
    {
        var file = X().Node("y", "PartitionedCall", ["x"], ("f", GraphFile.Call("f"))).Function("f", calls: "f");

        Refused(NnErrno.TooLarge, file.Bytes);
    }

    [Fact]
    public void Converts_a_graph_that_is_deeper_than_any_stack()
    {
        var file = X();
        for (var i = 0; i < 20_000; i++) file.Node($"n{i}", "Neg", [i == 0 ? "x" : $"n{i - 1}"]);

        Assert.Equal(["n19999:0"], Converted(file.Bytes));
    }

    [Fact]
    public void Wants_no_input_that_a_tensor_asked_for_does_not_follow_from()
    {
        var file = X().Input("other", GraphFile.Float, 2).Node("y", "Relu", ["x"]).Node("z", "Neg", ["other"]);

        Assert.Equal(["x:0"], Conversion.Convert(GraphDefReader.Read(file.Bytes), ["y"]).Inputs.Select(port => port.Name));
        Assert.Equal(["x:0", "other:0"], Conversion.Convert(GraphDefReader.Read(file.Bytes), []).Inputs.Select(port => port.Name));
    }

    [Fact]
    public void Sizes_as_large_as_a_number_may_be_take_no_time()
    {
        var file = new GraphFile().Input("x", GraphFile.Float, long.MaxValue).Ints("from", 1).Ints("to", int.MaxValue).Ints("step", 1)
            .Node("y", "StridedSlice", ["x", "from", "to", "step"], ("end_mask", new ProtoMessage().Number(3, 1)));

        var converted = Conversion.Convert(GraphDefReader.Read(file.Bytes), []);

        Assert.Equal<long>([long.MaxValue - 1], converted.Outputs[0].Dimensions);
    }

    [Fact]
    public void Refuses_a_graph_whose_constants_repeat_elements_without_end()
    {
        var file = new GraphFile();
        for (var i = 0; i < 3; i++) file.Zeros($"c{i}", 25 << 20);

        Assert.Contains("\"c2\" repeats", Refused(NnErrno.TooLarge, file.Bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_nodes_under_more_conditions_than_anyone_could_tell_apart()
    {
        var file = X().Input("p", 10);
        for (var i = 0; i < 300; i++) file.Node($"p{i}", "LogicalNot", ["p"]).Node($"s{i}", "Switch", [i == 0 ? "x" : $"s{i - 1}:1", $"p{i}"]);

        Assert.Contains("conditions at once", Refused(NnErrno.TooLarge, file.Bytes), StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Has_an_error_where_whole_numbers_are_divided_by_0()
    {
        var backend = new TensorFlowBackend();
        Skip.If(backend.WhyAbsent is not null, backend.WhyAbsent);
        var file = new GraphFile().Input("x", GraphFile.Int32, 2).Input("y", GraphFile.Int32, 2).Node("z", "FloorDiv", ["x", "y"]);
        using var graph = backend.Load(new NnModel([file.Bytes]));
        using var context = graph.CreateContext();
        context.SetInput(0, Tensors.Of(TensorType.I32, [2], -7, int.MinValue));

        context.SetInput(1, Tensors.Of(TensorType.I32, [2], 2, -1));
        context.Compute(default);
        var quotients = context.GetOutput(0);
        context.SetInput(1, Tensors.Of(TensorType.I32, [2], 2, 0));
        var refusal = Assert.Throws<NnException>(() => context.Compute(default));

        Assert.Null(Tensors.Difference(Tensors.Of(TensorType.I32, [2], -4, int.MinValue), quotients, 0, 0));
        Assert.Equal(NnErrno.RuntimeError, refusal.Errno);
        Assert.Contains("division by 0", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Has_a_clear_error_for_every_damaged_file()
    {
        var file = X().Ints("sizes", 6, 1).Node("y", "Reshape", ["x", "sizes"]).Node("z", "Sum", ["y", "sizes"])
            .Node("f", "PartitionedCall", ["z"], ("f", GraphFile.Call("g"))).Function("g", calls: "h").Function("h", calls: "g");
        var random = new Random(5);
        for (var time = 0; time < 20_000; time++)
        {
            var bytes = file.Bytes;
            for (var change = random.Next(4); change >= 0; change--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var cut = bytes[..random.Next(bytes.Length + 1)];

            if (Record.Exception(() => Converted(cut)) is { } fault) Assert.IsType<NnException>(fault);
        }
    }

    [SkippableFact]
    public void Has_a_clear_error_for_every_damaged_case()
    {
        var random = new Random(6);
        foreach (var test in ConformanceCase.All("graphdef"))
        {
            for (var time = 0; time < 10; time++)
            {
                var bytes = test.Model.Builders[0].ToArray();
                for (var change = random.Next(8); change >= 0; change--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);

                if (Record.Exception(() => Converted(bytes)) is { } fault) Assert.IsType<NnException>(fault);
            }
        }
    }

    static GraphFile X() => new GraphFile().Input("x", GraphFile.Float, 2, 3);

    static string[] Converted(byte[] file, params string[] outputs) =>
        [.. Conversion.Convert(GraphDefReader.Read(file), [.. outputs]).Outputs.Select(port => port.Name)];

    static string Refused(NnErrno errno, byte[] file, params string[] outputs)
    {
        var refusal = Assert.Throws<NnException>(() => Converted(file, outputs));

        Assert.Equal(errno, refusal.Errno);
        return refusal.Message;
    }
}
