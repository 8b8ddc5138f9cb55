using Millrace.Inference.Onnx;
using Millrace.Inference.TensorFlow;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;

namespace Millrace.Inference.Tests.TensorFlow;

/// <summary>Operators one by one, with results that were counted by hand from their definitions.</summary>
public sealed class OperatorTests
{
    const TensorType F32 = TensorType.F32, I32 = TensorType.I32;

    [SkippableFact]
    public void The_angle_of_every_quadrant() => AssertOne(
        "Atan2", [Floats(1, 1, -1, -1, 1, 0), Floats(1, -1, -1, 1, 0, -2)],
        Floats(0.7853982f, 2.3561945f, -2.3561945f, -0.7853982f, 1.5707964f, 3.1415927f));

    [SkippableFact]
    public void Nothing_times_infinity_is_nothing()
    {
        AssertOne("Xlogy", [Floats(0, 2), Floats(0, 1)], Floats(0, 0));
        AssertOne("Xdivy", [Floats(0, 3), Floats(0, 2)], Floats(0, 1.5f));
    }

    [SkippableFact]
    public void Bits_of_whole_numbers()
    {
        AssertOne("BitwiseXor", [Ints(6, -1), Ints(3, 1)], Ints(5, -2));
        AssertOne("Invert", [Ints(0, 5)], Ints(-1, -6));
    }

    // 0 is one of the 16 steps of 0.1 after the range was moved by half of one: -0.5 to 1.0.
    [SkippableFact]
    public void Steps_of_four_bits_with_0_among_them() => AssertOne(
        "FakeQuantWithMinMaxArgs", [Floats(-3, 0.26f, 0.04f, 7)], Floats(-0.5f, 0.3f, 0, 1),
        ("min", Number(-0.52f)), ("max", Number(0.98f)), ("num_bits", new ProtoMessage().Number(3, 4)));

    [SkippableFact]
    public void Rows_of_segments_are_added_up_and_those_of_none_left_out()
    {
        var file = new GraphFile().Input("x", GraphFile.Float, 4, 1).Ints("ids", 2, -1, 0, 2).Ints("count", 3)
            .Node("all", "Squeeze", ["count"]).Node("y", "UnsortedSegmentSum", ["x", "ids", "all"]);

        AssertSame(Tensors.Of(F32, [3, 1], 4f, 0, 9), Computed(file, [Tensors.Of(F32, [4, 1], 1f, 2, 4, 8)])[0]);
    }

    [SkippableFact]
    public void Rolls_around_an_axis()
    {
        var file = new GraphFile().Input("x", GraphFile.Float, 4).Ints("shift", 5).Ints("axis", -1).Node("y", "Roll", ["x", "shift", "axis"]);

        AssertSame(Floats(4, 1, 2, 3), Computed(file, [Floats(1, 2, 3, 4)])[0]);
    }

    [SkippableFact]
    public void A_row_becomes_a_diagonal() =>
        AssertOne("MatrixDiag", [Floats(1, 2)], Tensors.Of(F32, [2, 2], 1f, 0, 0, 2));

    [SkippableFact]
    public void Numbers_once_each_in_the_order_they_come()
    {
        var outputs = Computed(new GraphFile().Input("x", GraphFile.Int32, 4).Node("y", "Unique", ["x"], ("T", GraphFile.Type(GraphFile.Int32)))
            .Node("a", "Identity", ["y"]).Node("b", "Identity", ["y:1"]), [Ints(7, 3, 7, 1)]);

        AssertSame(Ints(7, 3, 1), outputs[0]);
        AssertSame(Ints(0, 1, 0, 2), outputs[1]);
    }

    [SkippableFact]
    public void The_largest_and_its_place_with_the_channels_last()
    {
        var all = new ProtoMessage().Message(1, new ProtoMessage().Numbers(3, [1, 2, 2, 1]));
        var outputs = Computed(
            new GraphFile().Input("x", GraphFile.Float, 1, 2, 2, 2).Node(
                "y", "MaxPoolWithArgmax", ["x"], ("ksize", all), ("strides", all), ("padding", new ProtoMessage().Text(2, "VALID")))
                .Node("a", "Identity", ["y"]).Node("b", "Identity", ["y:1"]),
            [Tensors.Of(F32, [1, 2, 2, 2], 1f, 8, 2, 3, 9, 4, 5, 6)]);

        AssertSame(Tensors.Of(F32, [1, 1, 1, 2], 9f, 8), outputs[0]);
        AssertSame(Tensors.Of(TensorType.I64, [1, 1, 1, 2], 4L, 1), outputs[1]);
    }

    [SkippableFact]
    public void A_condition_chooses_between_conditions()
    {
        var file = new GraphFile().Input("p", 10, 2).Input("q", 10, 2).Node("y", "SelectV2", ["p", "q", "p"]);

        AssertSame(
            Tensors.Of(TensorType.Bool, [2], false, false),
            Computed(file, [Tensors.Of(TensorType.Bool, [2], true, false), Tensors.Of(TensorType.Bool, [2], false, true)])[0]);
    }

    static Tensor Floats(params float[] numbers) => Tensors.Of(F32, [numbers.Length], numbers);

    static Tensor Ints(params int[] numbers) => Tensors.Of(I32, [numbers.Length], numbers);

    static ProtoMessage Number(float number) => new ProtoMessage().Single(4, number);

    static void AssertOne(string op, Tensor[] inputs, Tensor wanted, params (string Name, ProtoMessage Value)[] attributes)
    {
        var file = new GraphFile();
        for (var i = 0; i < inputs.Length; i++)
            file.Input($"x{i}", inputs[i].Type == F32 ? GraphFile.Float : GraphFile.Int32, [.. inputs[i].Dimensions]);
        file.Node("y", op, [.. inputs.Select((_, i) => $"x{i}")], attributes);

        AssertSame(wanted, Computed(file, inputs)[0]);
    }

    static Tensor[] Computed(GraphFile file, Tensor[] inputs)
    {
        var backend = new TensorFlowBackend();
        Skip.If(backend.WhyAbsent is not null, backend.WhyAbsent);
        using var graph = backend.Load(new NnModel([file.Bytes]));
        using var context = graph.CreateContext();
        for (var i = 0; i < inputs.Length; i++) context.SetInput(i, inputs[i]);
        context.Compute(default);
        return [.. Enumerable.Range(0, graph.Outputs.Length).Select(context.GetOutput)];
    }

    static void AssertSame(Tensor wanted, Tensor got) => Assert.Null(Tensors.Difference(wanted, got, 1e-5, 1e-5));
}
