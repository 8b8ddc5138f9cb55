using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>One node that is being converted: its inputs, and its attributes with TensorFlow's defaults.</summary>
sealed class Call(NodeDef node, Value[] inputs, Emitter emitter)
{
    // A few bytes could ask for any number.
    const int PartsMax = 10_000;

    /// <summary>Writes what the node becomes.</summary>
    public Emitter E { get; } = emitter;

    /// <summary>The node's operator.</summary>
    public string Op => node.Op;

    /// <summary>The name of the node.</summary>
    public string Node => node.Name;

    /// <summary>How many inputs there are.</summary>
    public int Count => inputs.Length;

    /// <summary>All inputs.</summary>
    public ReadOnlySpan<Value> Inputs => inputs;

    /// <summary>An input.</summary>
    public Value this[int index] => index >= 0 && index < inputs.Length ? inputs[index]
        : throw Damaged($"lacks its input {index}");

    /// <summary>A whole number.</summary>
    public long Int(string name, long absent) => node.Attributes.TryGetValue(name, out var value) ? value.Int : absent;

    /// <summary>How many tensors a node takes apart.</summary>
    public int Parts(string name, long absent) =>
        Int(name, absent) is > 0 and <= PartsMax and var parts ? (int)parts : throw Refuse($"its {name} is not from 1 to {PartsMax}");

    /// <summary>A number.</summary>
    public float Float(string name, float absent) => node.Attributes.TryGetValue(name, out var value) ? value.Float : absent;

    /// <summary>Yes or no.</summary>
    public bool Bool(string name, bool absent) => node.Attributes.TryGetValue(name, out var value) ? value.Bool : absent;

    /// <summary>A text.</summary>
    public string Text(string name, string absent) => node.Attributes.TryGetValue(name, out var value) ? value.Text : absent;

    /// <summary>Whole numbers; none where there is no such attribute.</summary>
    public ImmutableArray<long> Ints(string name) => node.Attributes.TryGetValue(name, out var value) ? value.Ints : [];

    /// <summary>A shape; an open one where there is no such attribute.</summary>
    public ImmutableArray<long> Shape(string name) => node.Attributes.TryGetValue(name, out var value) ? value.Shape : default;

    /// <summary>The bytes of a tensor.</summary>
    public ReadOnlyMemory<byte> Tensor(string name) =>
        node.Attributes.TryGetValue(name, out var value) && value.Tensor is { } tensor ? tensor
            : throw Damaged($"lacks its {name}");

    /// <summary>An element type.</summary>
    public TensorType Type(string name, TensorType? absent = null)
    {
        if (!node.Attributes.TryGetValue(name, out var value))
            return absent ?? throw Damaged($"lacks its {name}");
        return ElementTypes.Find(value.Type) ?? throw Refuse($"the type {ElementTypes.Name(value.Type)} is not supported");
    }

    /// <summary>Elements of an input that must be known when the model is loaded.</summary>
    public ImmutableArray<long> Known(int index, string what) =>
        this[index].IsKnown ? this[index].Known : throw Refuse($"{what} must be a constant");

    /// <summary>The rank of an input, which must be known when the model is loaded.</summary>
    public int Rank(int index) => this[index].Rank ?? throw Refuse("the rank of its input must be known");

    /// <summary>An axis of an input as a number from 0 on.</summary>
    public int Axis(int index, long axis)
    {
        var rank = Rank(index);
        var at = axis < 0 ? axis + rank : axis;
        return at >= 0 && at < rank ? (int)at : throw Refuse($"axis {axis} is outside its input of rank {rank}");
    }

    /// <summary>An error for a node that cannot be so in any graph.</summary>
    public NnException Damaged(string why) => new(NnErrno.InvalidEncoding, $"operator {Op} at node \"{node.Name}\" {why}");

    /// <summary>An error that names operator and node.</summary>
    public NnException Refuse(string why) =>
        new(NnErrno.UnsupportedOperation, $"operator {Op} at node \"{node.Name}\": {why}");
}
