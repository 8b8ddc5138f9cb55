using System.Runtime.InteropServices;
using Millrace.Inference.OpenVino;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;
using Xunit.Abstractions;

namespace Millrace.Inference.Tests.OpenVino;

/// <summary>A real network of 785 layers, its picture, and the picture of its answer that was published.</summary>
public sealed class RoadSegmentationTests(ITestOutputHelper output)
{
    const int Width = 896;
    const int Height = 512;

    // The published picture's colours of background, road, curb and mark.
    static readonly Rgba32[] Colours = [new(68, 1, 84), new(48, 103, 141), new(53, 183, 120), new(253, 231, 36)];

    [SkippableFact]
    public void Sees_the_road_where_the_published_picture_has_it()
    {
        var folder = Environment.GetEnvironmentVariable("MILLRACE_MODELS");
        Skip.If(string.IsNullOrEmpty(folder), "MILLRACE_MODELS is not set: it names the folder of test models");
        var backend = new OpenVinoBackend();
        Skip.If(backend.WhyAbsent is not null, backend.WhyAbsent);
        ReadOnlyMemory<byte> Bytes(string name) => File.ReadAllBytes(Path.Combine(folder!, name));
        using var graph = backend.Load(new NnModel([Bytes("road-segmentation-adas-0001.xml"), Bytes("road-segmentation-adas-0001.bin")]));
        using var context = graph.CreateContext();
        context.SetInput(0, Picture(Path.Combine(folder!, "empty_road_mapillary.jpg")));

        context.Compute(default);

        var classes = Classes(context.GetOutput(0));
        var share = Agreement(classes, Path.Combine(folder!, "segmentation_result.png"));
        output.WriteLine($"pixels of each class: {string.Join(", ", classes.CountBy(each => each).OrderBy(pair => pair.Key).Select(pair => pair.Value))}");
        output.WriteLine($"{share:P2} of the published pixels agree");
        Assert.True(share > 0.97, $"{share:P2} of the published pixels agree");
    }

    // Blue, green, red, each a plane.
    static Tensor Picture(string file)
    {
        using var image = Image.Load<Bgr24>(file);
        image.Mutate(resized => resized.Resize(Width, Height, KnownResamplers.Triangle));
        var planes = new float[3 * Width * Height];
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                var (pixel, at) = (image[x, y], y * Width + x);
                (planes[at], planes[at + Width * Height], planes[at + 2 * Width * Height]) = (pixel.B, pixel.G, pixel.R);
            }
        }

        return Tensors.Of(TensorType.F32, [1, 3, Height, Width], planes);
    }

    static int[] Classes(Tensor scores)
    {
        Assert.Equal<long>([1, 4, Height, Width], scores.Dimensions);
        var values = MemoryMarshal.Cast<byte, float>(scores.Data.Span).ToArray();
        return [.. Enumerable.Range(0, Width * Height).Select(at => Enumerable.Range(0, 4).MaxBy(label => values[label * Width * Height + at]))];
    }

    // The middle one of three pictures side by side: the purple that the sky is there is nowhere else.
    static double Agreement(int[] classes, string file)
    {
        using var published = Image.Load<Rgba32>(file);
        var sky = Enumerable.Range(0, published.Width * published.Height)
            .Select(at => (X: at % published.Width, Y: at / published.Width))
            .Where(at => published[at.X, at.Y] is { } pixel && (pixel.R, pixel.G, pixel.B) == (Colours[0].R, Colours[0].G, Colours[0].B)).ToList();
        var (left, right, top) = (sky.Min(at => at.X), sky.Max(at => at.X) + 1, sky.Min(at => at.Y));
        var (width, height) = (right - left, (int)Math.Floor((right - left) * (double)Height / Width));
        var agreed = 0;
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var place = (int)((y + 0.5) * Height / height) * Width + (int)((x + 0.5) * Width / width);
                if (Nearest(published[left + x, top + y]) == classes[place]) agreed++;
            }
        }

        return (double)agreed / (width * height);
    }

    static int Nearest(Rgba32 pixel) => Enumerable.Range(0, Colours.Length).MinBy(label =>
        Math.Abs(pixel.R - Colours[label].R) + Math.Abs(pixel.G - Colours[label].G) + Math.Abs(pixel.B - Colours[label].B));
}
