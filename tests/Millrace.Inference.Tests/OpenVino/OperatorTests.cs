using Millrace.Inference.Tests.Backends;
using Millrace.Nn;

namespace Millrace.Inference.Tests.OpenVino;

/// <summary>Operators one by one, with results that were counted by hand from their specifications.</summary>
public sealed class OperatorTests
{
    const TensorType F32 = TensorType.F32, I32 = TensorType.I32, I64 = TensorType.I64;

    [SkippableFact]
    public void Means_of_whole_numbers_are_cut_off() => AssertOne(
        "ReduceMean", "opset1", "keep_dims=\"true\"", [Ints(-5, 2)], [Longs(0)], Tensors.Of(I32, [1], -1));

    [SkippableFact]
    public void Whole_numbers_are_divided_down_and_the_least_by_minus_one() => AssertOne(
        "Divide", "opset1", "", [Ints(-7, 7, int.MinValue), Ints(2, -2, -1)], [], Ints(-4, -4, int.MinValue));

    [SkippableTheory]
    [InlineData("Divide")]
    [InlineData("Mod")]
    [InlineData("FloorMod")]
    public void Whole_numbers_divided_by_0_are_an_error(string type)
    {
        var refusal = Assert.Throws<NnException>(() => One(type, "opset1", "", [Ints(1, 2), Ints(1, 0)], [], I32, 1));

        Assert.Equal(NnErrno.RuntimeError, refusal.Errno);
        Assert.Contains("division by 0", refusal.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void The_maximum_of_windows_that_overlap_and_where_it_lies()
    {
        var outputs = IrOperator.Compute(
            "AdaptiveMaxPool", "opset8", "index_element_type=\"i64\"", [Tensors.Of(F32, [1, 1, 4], 1f, 5, 2, 4)], [Longs(3)], (F32, 3), (I64, 3));

        AssertSame(Tensors.Of(F32, [1, 1, 3], 5f, 5, 4), outputs[0]);
        AssertSame(Tensors.Of(I64, [1, 1, 3], 1L, 1, 3), outputs[1]);
    }

    [SkippableFact]
    public void The_mean_of_a_window_with_gaps() => AssertOne(
        "AvgPool", "opset16",
        "kernel=\"2\" strides=\"1\" dilations=\"2\" pads_begin=\"0\" pads_end=\"0\" exclude-pad=\"true\" rounding_type=\"floor\"",
        [Tensors.Of(F32, [1, 1, 5], 1f, 2, 4, 8, 16)], [], Tensors.Of(F32, [1, 1, 3], 2.5f, 5, 10));

    [SkippableFact]
    public void Numbers_once_each()
    {
        var outputs = IrOperator.Compute(
            "Unique", "opset10", "sorted=\"true\"", [Ints(3, 1, 3, 2)], [], (I32, 1), (I64, 1), (I64, 1), (I64, 1));

        AssertSame(Ints(1, 2, 3), outputs[0]);
        AssertSame(Longs(1, 3, 0), outputs[1]);
        AssertSame(Longs(2, 0, 2, 1), outputs[2]);
        AssertSame(Longs(1, 1, 2), outputs[3]);
    }

    [SkippableTheory]
    [InlineData("false", new long[] { 0, 1, 3 })]
    [InlineData("true", new long[] { 0, 2, 3 })]
    public void Where_a_number_would_go(string isRight, long[] places) => AssertOne(
        "SearchSorted", "opset15", $"right_mode=\"{isRight}\"", [Ints(1, 3, 5), Ints(0, 3, 6)], [], Longs(places));

    [SkippableFact]
    public void A_slice_is_written_over() => AssertOne(
        "SliceScatter", "opset15", "", [Tensors.Of(F32, [2, 3], 1f, 2, 3, 4, 5, 6), Tensors.Of(F32, [2, 2], 9f, 8, 7, 6)],
        [Longs(0), Longs(3), Longs(2), Longs(1)], Tensors.Of(F32, [2, 3], 9f, 2, 8, 7, 5, 6));

    [SkippableFact]
    public void Columns_are_added_up_to_an_image() => AssertOne(
        "Col2Im", "opset15", "strides=\"1,1\" dilations=\"1,1\" pads_begin=\"0,0\" pads_end=\"0,0\"",
        [Tensors.Of(F32, [1, 2, 2], 1f, 2, 10, 20)], [Longs(1, 3), Longs(1, 2)], Tensors.Of(F32, [1, 1, 1, 3], 1f, 12, 20));

    [SkippableFact]
    public void Both_types_become_the_one_that_holds_both()
    {
        var outputs = IrOperator.Compute("ConvertPromoteTypes", "opset14", "", [Ints(1), Tensors.Of(F32, [1], 2f)], [], (F32, 1), (F32, 1));

        AssertSame(Tensors.Of(F32, [1], 1f), outputs[0]);
        AssertSame(Tensors.Of(F32, [1], 2f), outputs[1]);
    }

    [SkippableFact]
    public void Waves_of_numbers_and_numbers_of_waves()
    {
        var (numbers, waves) = (Tensors.Of(F32, [4], 1f, 2, 3, 4), Tensors.Of(F32, [3, 2], 10f, 0, -2, 2, -2, 0));

        AssertOne("RDFT", "opset9", "", [numbers], [Longs(0)], waves);
        AssertOne("RDFT", "opset9", "", [Tensors.Of(F32, [5], 1f, 2, 3, 4, 5)], [Longs(0), Longs(4)], waves);
        AssertOne("IRDFT", "opset9", "", [waves], [Longs(-1)], numbers);
    }

    [SkippableFact]
    public void Complex_waves_of_two_axes_there_and_back()
    {
        var numbers = Tensors.Of(F32, [2, 3, 2], 1f, 0, 2, 1, 3, -1, 0, 4, 5, 5, -6, 2);
        var waves = One("DFT", "opset7", "", [numbers], [Longs(0, 1)], F32, 3);

        Assert.Null(Tensors.Difference(numbers, One("IDFT", "opset7", "", [waves], [Longs(-1, 0)], F32, 3), 1e-5, 1e-5));
        // The first of them is the sum.
        Assert.Equal([5f, 11f], System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(waves.Data.Span)[..2].ToArray());
    }

    [SkippableFact]
    public void Neighbouring_channels_of_three_dimensions() => AssertOne(
        "LRN", "opset1", "alpha=\"3\" beta=\"1\" bias=\"1\" size=\"3\"", [Tensors.Of(F32, [1, 3, 1], 1f, 2, 3)], [Longs(1)],
        Tensors.Of(F32, [1, 3, 1], 1 / 6f, 2 / 15f, 3 / 14f));

    [SkippableTheory]
    [InlineData("LRN", "opset1", "size=\"4\"", "with size 4")]
    [InlineData("LRN", "opset1", "size=\"3\"", "along axes 0")]
    public void What_nobody_says_how_to_compute_is_refused_by_name(string type, string version, string attributes, string why)
    {
        long[] axes = why.EndsWith('0') ? [0] : [1];
        var refusal = Assert.Throws<NnException>(
            () => One(type, version, attributes, [Tensors.Of(F32, [1, 3, 1, 1], 1f, 2, 3)], [Longs(axes)], F32, 4));

        Assert.Equal(NnErrno.UnsupportedOperation, refusal.Errno);
        Assert.Contains(type, refusal.Message, StringComparison.Ordinal);
        Assert.Contains(why, refusal.Message, StringComparison.Ordinal);
    }

    static Tensor Ints(params int[] numbers) => Tensors.Of(I32, [numbers.Length], numbers);

    static Tensor Longs(params long[] numbers) => Tensors.Of(I64, [numbers.Length], numbers);

    static Tensor One(string type, string version, string attributes, Tensor[] inputs, Tensor[] constants, TensorType output, int rank) =>
        IrOperator.Compute(type, version, attributes, inputs, constants, (output, rank))[0];

    static void AssertOne(string type, string version, string attributes, Tensor[] inputs, Tensor[] constants, Tensor wanted) =>
        AssertSame(wanted, One(type, version, attributes, inputs, constants, wanted.Type, wanted.Dimensions.Length));

    static void AssertSame(Tensor wanted, Tensor got) => Assert.Null(Tensors.Difference(wanted, got, 1e-5, 1e-5));
}
