using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Where the windows of a convolution or a pooling lie.</summary>
sealed class Windows
{
    /// <summary>Reads the attributes of a layer whose input 0 has batch and channels first.</summary>
    public Windows(Conversion c, long[] kernel)
    {
        Kernel = kernel;
        var dimensions = kernel.Length;
        if (c.RankOf(0) != dimensions + 2) throw c.Layer.Malformed($"a window of {dimensions} dimensions on {c.RankOf(0)}");
        Strides = Sizes(c, "strides", 1);
        Dilations = Sizes(c, "dilations", 1);
        AutoPad = c.Text("auto_pad", "explicit");
        (Begin, End) = AutoPad switch
        {
            "explicit" => (Sizes(c, "pads_begin", 0), Sizes(c, "pads_end", 0)),
            // What the file says of pads is void then.
            "valid" or "same_upper" or "same_lower" => (new long[dimensions], new long[dimensions]),
            _ => throw c.Layer.Malformed($"auto_pad is {AutoPad}"),
        };
        if (Strides.Concat(Dilations).Concat(Kernel).Any(size => size < 1))
            throw c.Layer.Malformed("a stride, dilation or size is below 1");
    }

    public long[] Kernel { get; }

    public long[] Strides { get; }

    public long[] Dilations { get; }

    public long[] Begin { get; }

    public long[] End { get; }

    public string AutoPad { get; }

    public bool IsSame => AutoPad is "same_upper" or "same_lower";

    /// <summary>Cells from a window's first to its last.</summary>
    public long Reach(int axis) => (Kernel[axis] - 1) * Dilations[axis] + 1;

    /// <summary>Makes the pads of "same" explicit. The sizes must be known.</summary>
    public void Resolve(ReadOnlySpan<long> sizes)
    {
        if (!IsSame) return;
        for (var i = 0; i < Kernel.Length; i++)
        {
            var (less, more) = SamePadding.Of(sizes[i], Reach(i), Strides[i]);
            (Begin[i], End[i]) = AutoPad == "same_upper" ? (less, more) : (more, less);
        }
    }

    long[] Sizes(Conversion c, string name, long otherwise)
    {
        var sizes = c.Ints(name) ?? [.. Enumerable.Repeat(otherwise, Kernel.Length)];
        return sizes.Length == Kernel.Length ? sizes : throw c.Layer.Malformed($"{name} has not {Kernel.Length} numbers");
    }

    /// <summary>The attributes of ONNX, with explicit pads, or with its own "same" where sizes are open.</summary>
    public OnnxAttribute[] Attributes(bool isResolved) =>
    [
        new("kernel_shape", Kernel), new("strides", Strides), new("dilations", Dilations),
        IsSame && !isResolved ? new("auto_pad", AutoPad.ToUpperInvariant()) : new("pads", [.. Begin, .. End]),
    ];

    /// <summary>Puts a border around the last dimensions; a negative one cuts off.</summary>
    public static string Pad(Conversion c, string value, TensorType type, ReadOnlySpan<long> begin, ReadOnlySpan<long> end, double with)
    {
        long[] pads = [0, 0, .. begin, 0, 0, .. end];
        return pads.All(pad => pad == 0) ? value : c.Op("Pad", [value, c.Ints(pads), c.Scalar(with, type)]);
    }
}
