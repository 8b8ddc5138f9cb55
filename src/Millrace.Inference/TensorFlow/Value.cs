using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>A tensor of the graph while it is converted, and what is known of it before anything is computed.</summary>
sealed class Value
{
    // Sizes, axes and indices have few elements; weights need not be known.
    const int KnownElementsMax = 1024;

    readonly Func<string> _write;
    string? _name;

    /// <summary>What a node gives.</summary>
    public Value(string name, TensorType type, ImmutableArray<long> shape)
    {
        (_name, _write) = (name, () => name);
        (Type, Shape) = (type, shape);
    }

    /// <summary>A constant. It is written into the model when a node asks for its name: many are only looked at.</summary>
    public Value(Tensor constant, Func<Tensor, string> write)
    {
        _write = () => write(constant);
        (Type, Shape) = (constant.Type, constant.Dimensions);
        if (Type.IsWhole() && Tensor.Count(Shape) <= KnownElementsMax) Known = [.. Numbers.Ints(constant)];
    }

    /// <summary>Its name in the ONNX graph.</summary>
    public string Name => _name ??= _write();

    /// <summary>What the elements are.</summary>
    public TensorType Type { get; }

    /// <summary>Sizes, -1 where one is open; default where even their number is.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>The elements of a small constant of whole numbers; default for all else.</summary>
    public ImmutableArray<long> Known { get; }

    /// <summary>Of a row of sizes what is known of it, -1 for the others; default where that is nothing.</summary>
    public ImmutableArray<long> Partly
    {
        get => IsKnown ? Known : field;
        init;
    }

    /// <summary>Whether the elements are known.</summary>
    public bool IsKnown => !Known.IsDefault;

    /// <summary>How many sizes there are; null where that is open.</summary>
    public int? Rank => Shape.IsDefault ? null : Shape.Length;

    /// <summary>A size, -1 where it is open.</summary>
    public long Size(int axis) => Shape.IsDefault ? -1 : Shape[axis < 0 ? axis + Shape.Length : axis];
}
