using System.Globalization;
using Millrace.Inference.TensorFlowLite;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;

namespace Millrace.Inference.Tests.TensorFlowLite;

/// <summary>Operators one by one, with results that were counted by hand from their definitions.</summary>
public sealed class OperatorTests
{
    const TensorType F32 = TensorType.F32, I32 = TensorType.I32, I64 = TensorType.I64;

    [Theory]
    [InlineData(155, new float[] { 4, 0, 9 })]
    [InlineData(153, new float[] { 4, 1, 8 })]
    [InlineData(154, new float[] { 4, float.MinValue, 8 })]
    [InlineData(157, new float[] { 4, float.MaxValue, 1 })]
    public void Rows_of_segments_become_one_each_and_those_of_none_are_left_out(int code, float[] wanted) => AssertOne(
        code, [Tensors.Of(F32, [4, 1], 1f, 2, 4, 8), Ints(2, -1, 0, 2), Tensors.Of(I32, [], 3)], Tensors.Of(F32, [3, 1], wanted));

    [Fact]
    public void Segments_that_follow_each_other_are_added_up()
    {
        AssertOne(125, [Tensors.Of(I32, [3, 2], 1, 2, 3, 4, 5, 6), Ints(0, 0, 1)], Tensors.Of(I32, [2, 2], 4, 6, 5, 6));

        var refusal = Assert.Throws<NnException>(() => Computed(125, [Ints(1, 2), Ints(0, 2)], [I32]));
        Assert.Contains("do not follow each other", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_segment_that_is_not_there_is_an_error() => Assert.Contains(
        "segment 3 is not one of 3",
        Assert.Throws<NnException>(() => Computed(155, [Ints(1), Ints(3), Tensors.Of(I32, [], 3)], [I32])).Message, StringComparison.Ordinal);

    [Fact]
    public void Numbers_once_each_in_the_order_they_come()
    {
        var outputs = Computed(103, [Ints(7, 3, 7, 1)], [I32, I32]);

        AssertSame(Ints(7, 3, 1), outputs[0]);
        AssertSame(Ints(0, 1, 0, 2), outputs[1]);
    }

    [Fact]
    public void Diagonals_are_made_and_set()
    {
        AssertOne(113, [Tensors.Of(F32, [2, 2], 1f, 2, 3, 4)], Tensors.Of(F32, [2, 2, 2], 1f, 0, 0, 2, 3, 0, 0, 4));
        AssertOne(115, [Tensors.Of(I32, [2, 3], 1, 2, 3, 4, 5, 6), Ints(8, 9)], Tensors.Of(I32, [2, 3], 8, 2, 3, 4, 9, 6));
    }

    [Fact]
    public void A_bound_that_is_open_cuts_no_long_number() => AssertOne(
        0, [Tensors.Of(I64, [2], 1L << 40, -5), Tensors.Of(I64, [2], 1L, 2)], Tensors.Of(I64, [2], (1L << 40) + 1, 0), options: 11, (0, 1));

    static Tensor Ints(params int[] numbers) => Tensors.Of(I32, [numbers.Length], numbers);

    static void AssertOne(int code, Tensor[] inputs, Tensor wanted, int options = 0, params (int Index, int Value)[] fields) =>
        AssertSame(wanted, Computed(code, inputs, [wanted.Type], options, fields)[0]);

    static void AssertSame(Tensor wanted, Tensor got) => Assert.Null(Tensors.Difference(wanted, got, 1e-6, 1e-6));

    static Tensor[] Computed(int code, Tensor[] inputs, TensorType[] outputs, int options = 0, params (int Index, int Value)[] fields)
    {
        using var graph = new TensorFlowLiteBackend().Load(new NnModel([Model(code, inputs, outputs, options, fields)]));
        using var context = graph.CreateContext();
        for (var i = 0; i < inputs.Length; i++) context.SetInput(i, inputs[i]);
        context.Compute(default);
        return [.. Enumerable.Range(0, outputs.Length).Select(context.GetOutput)];
    }

    // Operators up to 127 have their number in an old field too.
    static byte[] Model(int code, Tensor[] inputs, TensorType[] outputs, int options, (int Index, int Value)[] fields) =>
        FlatWriter.File(file =>
        {
            int[] from = [.. Enumerable.Range(0, inputs.Length)], to = [.. Enumerable.Range(inputs.Length, outputs.Length)];
            var operation = file.Table(
                (1, file.Vector(from)), (2, file.Vector(to)), (3, options),
                (4, file.Table([.. fields.Select(field => (field.Index, (FlatWriter.Field)field.Value))])));
            return file.Table(
                (0, 3),
                (1, file.Tables(file.Table((2, 1), (3, code)))),
                (2, file.Tables(file.Table(
                    (0, file.Tables(
                    [
                        .. inputs.Select((input, i) => Port(file, i, input.Type, [.. input.Dimensions.Select(size => (int)size)])),
                        .. outputs.Select((output, i) => Port(file, inputs.Length + i, output, [0])),
                    ])),
                    (1, file.Vector(from)), (2, file.Vector(to)), (3, file.Tables(operation))))),
                (4, file.Tables(file.Table())));
        });

    static Func<int> Port(FlatWriter file, int number, TensorType type, int[] shape) => file.Table(
        (0, file.Vector(shape)), (1, type switch { F32 => 0, I32 => 2, _ => 4 }),
        (3, file.Text(number.ToString(CultureInfo.InvariantCulture))));
}
