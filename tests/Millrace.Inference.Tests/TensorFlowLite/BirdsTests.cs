using Millrace.Inference.TensorFlowLite;
using Millrace.Nn;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;
using Xunit.Abstractions;

namespace Millrace.Inference.Tests.TensorFlowLite;

/// <summary>A published classifier on a published picture.</summary>
public sealed class BirdsTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void The_mandarin_duck_is_one()
    {
        var folder = Environment.GetEnvironmentVariable("MILLRACE_MODELS");
        Skip.If(string.IsNullOrEmpty(folder), "MILLRACE_MODELS is not set: it names the folder of models");
        using var picture = Image.Load<Rgb24>(Path.Combine(folder!, "bird.jpg"));
        using var graph = new TensorFlowLiteBackend().Load(
            new NnModel([File.ReadAllBytes(Path.Combine(folder!, "lite-model_aiy_vision_classifier_birds_V1_3.tflite"))]));
        var port = graph.Inputs[0];
        // As wasmedge_image makes a picture smaller.
        picture.Mutate(image => image.Resize((int)port.Dimensions[2], (int)port.Dimensions[1], KnownResamplers.MitchellNetravali));
        var pixels = new byte[Tensor.Count(port.Dimensions)];
        picture.CopyPixelDataTo(pixels);

        using var context = graph.CreateContext();
        context.SetInput(0, new Tensor(TensorType.U8, port.Dimensions, pixels));
        context.Compute(default);

        var best = context.GetOutput(0).Data.ToArray().Select((score, index) => (Index: index, Score: score))
            .OrderByDescending(static found => found.Score).Take(3).ToList();
        foreach (var (index, score) in best) output.WriteLine($"{index}: {score}");
        Assert.Equal([166, 158, 34], best.Select(static found => found.Index));
        // 198 is published with the model; decoders and filters differ by a few.
        Assert.InRange(best[0].Score, 190, 206);
    }
}
