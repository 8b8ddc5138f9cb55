using System.Runtime.InteropServices;
using Millrace.Inference.TensorFlowLite;
using Millrace.Nn;

namespace Millrace.Inference.Tests.TensorFlowLite;

public sealed class DepthwiseTests
{
    const int DepthwiseConv2D = 4;

    [Theory]
    [InlineData(1, new float[] { 111, 178, 217, 145, 231, 348, 393, 252, 363, 528, 573, 360, 197, 274, 295, 175 })]
    [InlineData(2, new float[] { 348, 252, 274, 175 })]
    public void Every_picture_of_several_has_the_sums_of_its_own_windows(int step, float[] sums)
    {
        float[] picture = [.. Enumerable.Range(1, 16).Select(static i => (float)i)];
        float[] pictures = [.. picture, .. picture.Select(static value => value * 10)];
        using var graph = new TensorFlowLiteBackend().Load(new NnModel([Model(step)]));
        using var context = graph.CreateContext();

        context.SetInput(0, new(TensorType.F32, [2, 4, 4, 1], Bytes(pictures)));
        context.Compute(default);

        float[] twice = [.. sums, .. sums.Select(static value => value * 10)];
        Assert.Equal(twice, MemoryMarshal.Cast<byte, float>(context.GetOutput(0).Data.Span).ToArray());
    }

    // Windows of three by three, whose filter counts from 1 to 9, with padding.
    static byte[] Model(int step) => FlatWriter.File(file => file.Table(
        (0, 3),
        (1, file.Tables(file.Table((2, 1), (3, DepthwiseConv2D)))),
        (2, file.Tables(file.Table(
            (0, file.Tables(
                Tensor(file, "x", 0, 2, 4, 4, 1), Tensor(file, "filter", 1, 1, 3, 3, 1), Tensor(file, "y", 0, 2, 4 / step, 4 / step, 1))),
            (1, file.Vector(0)),
            (2, file.Vector(2)),
            (3, file.Tables(file.Table(
                (1, file.Vector(0, 1)), (2, file.Vector(2)), (4, file.Table((1, step), (2, step), (3, 1))))))))),
        (4, file.Tables(file.Table(), file.Table((0, file.Bytes(Bytes([.. Enumerable.Range(1, 9).Select(static i => (float)i)]))))))));

    static Func<int> Tensor(FlatWriter file, string name, int buffer, params int[] shape) =>
        file.Table((0, file.Vector(shape)), (2, buffer), (3, file.Text(name)));

    static byte[] Bytes(float[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
}
