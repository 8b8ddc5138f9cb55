using System.Globalization;
using System.Runtime.InteropServices;
using Millrace.Inference;
using Millrace.Nn;

namespace Millrace.Bench.Networks;

/// <summary>The interpreter of TensorFlow Lite beside ONNX Runtime, on one network.</summary>
static class NetworkBench
{
    const int Seed = 1;
    const int Rounds = 101;
    const int WarmUps = 60;
    const float Tolerance = 1e-4f;

    public static Task<Section> RunAsync(BenchPlan plan)
    {
        const string title = "TensorFlow Lite beside ONNX Runtime";
        var backends = NnBackends.All();
        var onnx = backends.Single(backend => backend.Encoding == NnEncoding.Onnx);
        if (onnx.WhyAbsent is { } why) return Task.FromResult(new Section(title, $"Not measured: {why}."));
        var lite = backends.Single(backend => backend.Encoding == NnEncoding.TensorFlowLite);
        var network = new MobileNet(Seed);
        var picture = network.Picture();
        using var ours = Begin(lite, LiteNetwork.Write(network), picture, [1, MobileNet.Size, MobileNet.Size, MobileNet.Channels]);
        using var other = Begin(
            onnx, OnnxNetwork.Write(network), ChannelsFirst(picture), [1, MobileNet.Channels, MobileNet.Size, MobileNet.Size]);
        var (oursTook, otherTook) = (new Samples(), new Samples());
        for (var round = -WarmUps; round < Rounds; round++)
        {
            plan.Cancel.ThrowIfCancellationRequested();
            Compute(ours, round < 0 ? null : oursTook);
            Compute(other, round < 0 ? null : otherTook);
        }

        var difference = Compare(ours, other);
        return Task.FromResult(new Section(title,
            $"""
            A classifier in the shape of MobileNet 1 ({MobileNet.Size} × {MobileNet.Size} pixels, {network.Convolutions.Length} convolutions,
            {(network.Products / 1e6).ToString("0", CultureInfo.InvariantCulture)} million products, random weights of seed {Seed}), written once as .tflite and once as ONNX, in single
            precision; CPU time of one picture on one thread, {Rounds} times in turn; medians. *ONNX Runtime* is {onnx.Engine}. The largest
            difference between the two answers is {difference.ToString("0.0e+0", CultureInfo.InvariantCulture)} of the largest number.

            Three quarters go to the convolutions that see all channels. Those of many channels multiply 43 billion pairs a second
            of 54 that the machine can on one core; the first, of three channels, 7 billion: its windows are copied into rows, and six rows put side by
            side element by element. To multiply windows where they lie is the next step.
            """,
            new("TensorFlow Lite, in managed code, p50", oursTook.Ms(0.5)),
            new("ONNX Runtime, p50", otherTook.Ms(0.5)),
            new("ratio", Samples.Number(oursTook.P50Ms / otherTook.P50Ms, ""))));
    }

    static INnContext Begin(INnBackend backend, byte[] model, float[] picture, long[] shape)
    {
        var context = backend.Load(new([model])).CreateContext();
        context.SetInput(0, new(TensorType.F32, [.. shape], MemoryMarshal.AsBytes(picture.AsSpan()).ToArray()));
        return context;
    }

    static void Compute(INnContext context, Samples? samples)
    {
        var began = Environment.CpuUsage.TotalTime;
        context.Compute(default);
        samples?.Add(Environment.CpuUsage.TotalTime - began);
    }

    // As a part of the largest number of both.
    static float Compare(INnContext ours, INnContext other)
    {
        var (left, right) = (Answer(ours), Answer(other));
        var difference = left.Zip(right).Max(static pair => MathF.Abs(pair.First - pair.Second)) / left.Max();
        return left.Length == right.Length && difference < Tolerance ? difference
            : throw new InvalidDataException($"the two answers differ by {difference} of the largest number");
    }

    static float[] Answer(INnContext context) => MemoryMarshal.Cast<byte, float>(context.GetOutput(0).Data.Span).ToArray();

    static float[] ChannelsFirst(float[] picture)
    {
        const int pixels = MobileNet.Size * MobileNet.Size;
        return [.. Enumerable.Range(0, picture.Length).Select(i => picture[(i % pixels * MobileNet.Channels) + (i / pixels)])];
    }
}
