using System.Collections.Immutable;
using Millrace.Inference.Onnx;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>
/// A window that goes over the axes of space: where the channels are, how far it steps, and how its input is padded.
/// TensorFlow has the channels last, ONNX second.
/// </summary>
sealed class Window
{
    readonly Call _call;
    readonly bool _isFirst;
    readonly int _space;
    readonly string _padding;

    /// <summary>Reads the attributes of a node on an input of so many axes.</summary>
    public Window(Call call, int rank, ImmutableArray<long> steps = default)
    {
        _call = call;
        _space = rank - 2;
        var format = call.Text("data_format", "");
        _isFirst = format is "NCHW" or "NCDHW";
        if (format is not ("" or "NHWC" or "NDHWC" or "NCHW" or "NCDHW")) throw call.Refuse($"the layout {format} is not supported");
        _padding = call.Text("padding", "");
        if (_padding is not ("SAME" or "VALID" or "EXPLICIT")) throw call.Refuse($"the padding {_padding} is not known");
        Steps = steps.IsDefault ? Spatial("strides") : Spatial("strides", steps);
        Dilations = Spatial("dilations");
    }

    /// <summary>Steps, an axis of space each.</summary>
    public ImmutableArray<long> Steps { get; }

    /// <summary>Distances of the window's elements.</summary>
    public ImmutableArray<long> Dilations { get; }

    /// <summary>Axes of space.</summary>
    public int Space => _space;

    /// <summary>Whether padding is such that steps of 1 leave the size as it is.</summary>
    public bool IsSame => _padding == "SAME";

    /// <summary>The steps and dilations, as ONNX has them.</summary>
    public OnnxAttribute[] Attributes =>
        Dilations.All(dilation => dilation == 1)
            ? [new("strides", Steps.AsSpan())]
            : [new("strides", Steps.AsSpan()), new("dilations", Dilations.AsSpan())];

    /// <summary>A list of numbers for all axes of the input: those of space. Batch and channels must have 1.</summary>
    public ImmutableArray<long> Spatial(string name)
    {
        var all = _call.Ints(name);
        if (all.IsEmpty) return [.. Enumerable.Repeat(1L, _space)];
        return Spatial(name, all);
    }

    /// <summary>Likewise.</summary>
    public ImmutableArray<long> Spatial(string name, ImmutableArray<long> all)
    {
        if (all.Length != _space + 2) throw _call.Refuse($"its {name} are {all.Length} numbers, not {_space + 2}");
        if (all[0] != 1 || all[Channels] != 1) throw _call.Refuse($"its {name} go over batch or channels");
        var spatial = _isFirst ? all[2..] : all[1..^1];
        return spatial.All(number => number > 0) ? spatial : throw _call.Refuse($"its {name} are not above 0");
    }

    /// <summary>Which axis the channels are.</summary>
    public int Channels => _isFirst ? 1 : _space + 1;

    /// <summary>An axis of space, counted from 0, in the node's own layout.</summary>
    public int Axis(int space) => space + (_isFirst ? 2 : 1);

    /// <summary>Into ONNX's layout.</summary>
    public Value In(Value x) => _isFirst ? x : _call.E.Transpose(x, [0, _space + 1, .. Enumerable.Range(1, _space)]);

    /// <summary>Back into the node's own.</summary>
    public Value Out(Value x) => _isFirst ? x : _call.E.Transpose(x, [0, .. Enumerable.Range(2, _space), 1]);

    /// <summary>The padding of an input in ONNX's layout under a window of these sizes (-1 where one is open).</summary>
    public OnnxAttribute Padding(Value x, ReadOnlySpan<long> kernel)
    {
        var pads = new long[_space * 2];
        for (var i = 0; i < _space; i++)
        {
            var (before, after) = Pads(i, x.Size(2 + i), kernel[i]);
            if (before < 0)
            {
                if (Dilations.Any(dilation => dilation != 1)) throw _call.Refuse("SAME padding with dilations needs known sizes");
                return new OnnxAttribute("auto_pad", "SAME_UPPER");
            }

            (pads[i], pads[_space + i]) = (before, after);
        }

        return new OnnxAttribute("pads", pads.AsSpan());
    }

    /// <summary>Explicit paddings of an axis of space; zeros where the padding is of another kind.</summary>
    public (long Before, long After) Explicit(int space)
    {
        if (_padding != "EXPLICIT") return (0, 0);
        var all = _call.Ints("explicit_paddings");
        if (all.Length != 2 * (_space + 2)) throw _call.Refuse($"its explicit paddings are {all.Length} numbers, not {2 * (_space + 2)}");
        if (all[0] != 0 || all[1] != 0 || all[2 * Channels] != 0 || all[2 * Channels + 1] != 0 || all.Any(pad => pad < 0))
            throw _call.Refuse("its explicit paddings go over batch or channels, or below 0");
        return (all[2 * Axis(space)], all[2 * Axis(space) + 1]);
    }

    /// <summary>The sizes after the window went over them, channels apart.</summary>
    public ImmutableArray<long> Results(Value x, ReadOnlySpan<long> kernel)
    {
        var sizes = new long[_space];
        for (var i = 0; i < _space; i++)
        {
            var (size, reach) = (x.Size(2 + i), (kernel[i] - 1) * Dilations[i] + 1);
            var (before, after) = Explicit(i);
            if (size < 0 || (kernel[i] < 0 && !IsSame)) sizes[i] = -1;
            else sizes[i] = IsSame ? (size + Steps[i] - 1) / Steps[i] : Math.Max(0, (size + before + after - reach) / Steps[i] + 1);
        }

        return [.. sizes];
    }

    (long Before, long After) Pads(int space, long size, long kernel)
    {
        if (!IsSame) return Explicit(space);
        if (kernel < 0 || (size < 0 && Steps[space] > 1)) return (-1, -1);
        return SamePadding.Of(size, (kernel - 1) * Dilations[space] + 1, Steps[space]);
    }
}
