using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>A value between two layers. A constant becomes one of the ONNX graph when it is first used there.</summary>
sealed class IrValue
{
    readonly Func<string> _make;
    string? _name;

    /// <summary>A value of the ONNX graph.</summary>
    public IrValue(TensorType type, ImmutableArray<long> dimensions, string name)
        : this(type, dimensions, null, () => name)
    {
    }

    /// <summary>A constant.</summary>
    public IrValue(Tensor constant, Func<string> make) : this(constant.Type, constant.Dimensions, constant, make)
    {
    }

    IrValue(TensorType type, ImmutableArray<long> dimensions, Tensor? constant, Func<string> make) =>
        (Type, Dimensions, Constant, _make) = (type, dimensions, constant, make);

    public TensorType Type { get; }

    /// <summary>Sizes, -1 where one is open.</summary>
    public ImmutableArray<long> Dimensions { get; }

    /// <summary>What it is, where that is known now.</summary>
    public Tensor? Constant { get; }

    /// <summary>Its name in the ONNX graph.</summary>
    public string Name => _name ??= _make();
}
