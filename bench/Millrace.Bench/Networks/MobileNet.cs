namespace Millrace.Bench.Networks;

/// <summary>A convolution with its bias and, behind it, all between 0 and 6.</summary>
/// <param name="Window">Width and height of its windows.</param>
/// <param name="Step">How far they move.</param>
/// <param name="IsDepthwise">Whether each channel has a filter of its own, and sees itself alone.</param>
/// <param name="Weights">By filter, row, column and channel.</param>
sealed record Convolution(int Inputs, int Outputs, int Window, int Step, bool IsDepthwise, float[] Weights, float[] Bias);

/// <summary>A classifier of pictures in the shape of MobileNet, version 1, with random weights: one network for two formats.</summary>
sealed class MobileNet
{
    public const int Size = 128;
    public const int Classes = 1001;
    public const int Channels = 3;

    readonly Random _random;

    public MobileNet(int seed)
    {
        _random = new(seed);
        List<Convolution> all = [Make(Channels, 16, 3, 2, isDepthwise: false)];
        foreach (var (outputs, step) in ((int, int)[])[
            (32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (256, 1), (256, 1), (256, 1), (256, 1), (512, 2), (512, 1)])
        {
            var inputs = all[^1].Outputs;
            all.Add(Make(inputs, inputs, 3, step, isDepthwise: true));
            all.Add(Make(inputs, outputs, 1, 1, isDepthwise: false));
        }

        Convolutions = [.. all];
        Features = all[^1].Outputs;
        ClassWeights = Random(Classes * Features, Features);
        ClassBias = Random(Classes, 1);
    }

    public Convolution[] Convolutions { get; }

    /// <summary>What the last convolution gives out, averaged over the picture.</summary>
    public int Features { get; }

    /// <summary>By class and feature.</summary>
    public float[] ClassWeights { get; }

    public float[] ClassBias { get; }

    /// <summary>Numbers that are multiplied for one picture.</summary>
    public long Products
    {
        get
        {
            var (side, sum) = (Size, (long)Classes * Features);
            foreach (var each in Convolutions)
            {
                side /= each.Step;
                sum += (long)side * side * each.Weights.Length;
            }

            return sum;
        }
    }

    /// <summary>A picture by row, column and channel.</summary>
    public float[] Picture() => Random(Size * Size * Channels, 3);

    Convolution Make(int inputs, int outputs, int window, int step, bool isDepthwise)
    {
        var seen = window * window * (isDepthwise ? 1 : inputs);
        return new(inputs, outputs, window, step, isDepthwise, Random(outputs * seen, seen), Random(outputs, 16));
    }

    // So large that what comes out is about as large as what went in.
    float[] Random(int count, int seen)
    {
        var most = MathF.Sqrt(6f / seen);
        return [.. Enumerable.Range(0, count).Select(_ => ((_random.NextSingle() * 2) - 1) * most)];
    }
}
