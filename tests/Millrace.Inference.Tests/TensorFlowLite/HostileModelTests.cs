using Millrace.Inference.Tests.Backends;
using Millrace.Inference.TensorFlowLite;
using Millrace.Nn;

namespace Millrace.Inference.Tests.TensorFlowLite;

public sealed class HostileModelTests
{
    static readonly TensorFlowLiteBackend Backend = new();

    [SkippableTheory]
    [InlineData("net_mobilenet_v3_like_f16")]
    [InlineData("net_text_classifier_dyn")]
    [InlineData("conv2d_relu_int8")]
    [InlineData("raw_unidirectional_lstm")]
    [InlineData("raw_detection_postprocess_regular")]
    [InlineData("strided_slice")]
    [InlineData("while_loop")]
    [InlineData("space_to_batch")]
    public void Changed_bytes_are_refused_or_computed_and_never_worse(string name)
    {
        var test = ConformanceCase.Read("tflite/" + name);
        var random = new Random(7);
        // One that turned a loop into an endless one is stopped, as a guest's would be.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        for (var time = 0; time < 250 && !patience.IsCancellationRequested; time++)
        {
            var bytes = test.Model.Builders[0].ToArray();
            for (var change = random.Next(1, 4); change > 0; change--) Change(bytes, random);

            Try(new NnModel([bytes]), test.Runs[0].Inputs, patience.Token);
        }
    }

    [Fact]
    public void An_operator_that_has_no_kernel_is_refused_by_its_name()
    {
        var model = FlatModel.WithOperator(code: 28 + 1, version: 1);

        var refusal = Assert.Throws<NnException>(() => Backend.Load(new NnModel([model])));

        Assert.Equal(NnErrno.UnsupportedOperation, refusal.Errno);
        Assert.Contains("CONCAT_EMBEDDINGS", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_that_its_kernel_does_not_know_is_refused_by_its_name()
    {
        var model = FlatModel.WithOperator(code: 28, version: 99);

        var refusal = Assert.Throws<NnException>(() => Backend.Load(new NnModel([model])));

        Assert.Equal(NnErrno.UnsupportedOperation, refusal.Errno);
        Assert.Contains("TANH version 99", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_operator_that_has_a_kernel_is_computed()
    {
        using var graph = Backend.Load(new NnModel([FlatModel.WithOperator(code: 28, version: 1)]));
        using var context = graph.CreateContext();

        context.SetInput(0, Tensors.Of<float>(TensorType.F32, [2], 0, 1));
        context.Compute(default);

        Assert.Null(Tensors.Difference(Tensors.Of<float>(TensorType.F32, [2], 0, 0.7615942f), context.GetOutput(0), 1e-6, 0));
    }

    // Words rather than bytes: offsets, sizes and numbers of a flatbuffer.
    static void Change(byte[] bytes, Random random)
    {
        var at = random.Next(bytes.Length / 4) * 4;
        switch (random.Next(4))
        {
            case 0:
                bytes[at + random.Next(4)] = (byte)random.Next(256);
                break;
            case 1:
                BitConverter.TryWriteBytes(bytes.AsSpan(at), random.Next(16));
                break;
            case 2:
                BitConverter.TryWriteBytes(bytes.AsSpan(at), -random.Next(16));
                break;
            default:
                BitConverter.TryWriteBytes(bytes.AsSpan(at), random.Next());
                break;
        }
    }

    static void Try(NnModel model, NamedTensors inputs, CancellationToken cancel)
    {
        try
        {
            using var graph = Backend.Load(model);
            using var context = graph.CreateContext();
            for (var i = 0; i < Math.Min(inputs.Count, graph.Inputs.Length); i++) context.SetInput(i, inputs[i].Tensor);
            context.Compute(cancel);
            for (var i = 0; i < graph.Outputs.Length; i++) context.GetOutput(i);
        }
        catch (NnException e)
        {
            Assert.NotEmpty(e.Message);
        }
        catch (OperationCanceledException)
        {
            Assert.True(cancel.IsCancellationRequested);
        }
    }
}
