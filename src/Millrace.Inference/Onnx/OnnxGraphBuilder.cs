using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Millrace.Nn;

namespace Millrace.Inference.Onnx;

/// <summary>
/// Writes a graph, node after node. Values are named by strings, which the methods give out and take; a body
/// (<see cref="Body"/>) may use the values of the graph around it.
/// </summary>
sealed class OnnxGraphBuilder
{
    /// <summary>The operator set that all our models are written in.</summary>
    public const int Opset = 21;

    // The first IR version that knows the operator set above.
    const int IrVersion = 10;

    // One set for a graph and its bodies: no name of a body hides one of the graph around it.
    readonly HashSet<string> _names;
    readonly ProtoMessage _nodes = new();
    readonly ProtoMessage _constants = new();
    readonly ProtoMessage _ports = new();
    readonly HashSet<string> _made = new(StringComparer.Ordinal);
    readonly List<TensorPort> _inputs = [];
    readonly List<TensorPort> _outputs = [];
    readonly ProtoMessage _statePorts = new();
    readonly List<Tensor> _states = [];
    int _nextStates;

    /// <summary>An empty graph.</summary>
    public OnnxGraphBuilder() => _names = new(StringComparer.Ordinal);

    OnnxGraphBuilder(OnnxGraphBuilder around) => (_names, Scope) = (around._names, around.Scope);

    /// <summary>What the next nodes belong to: their names begin with it, and so do the engine's messages on them.</summary>
    public string Scope { get; set; } = "";

    /// <summary>A graph inside this one, for an attribute of <c>If</c>, <c>Loop</c> or <c>Scan</c>.</summary>
    public OnnxGraphBuilder Body() => new(this);

    /// <summary>An input. Sizes: -1 where one is open, default where even their number is.</summary>
    public string AddInput(string name, TensorType type, ImmutableArray<long> dimensions)
    {
        var value = Unique(name);
        _inputs.Add(new(name, type, dimensions));
        _ports.Message(11, ValueProto(value, type, dimensions));
        return value;
    }

    /// <summary>Makes a value an output. It may be any: an input, a constant, one that is an output already.</summary>
    public void AddOutput(string name, string value, TensorType type, ImmutableArray<long> dimensions)
    {
        _outputs.Add(new(name, type, dimensions));
        _ports.Message(12, ValueProto(Owned(value), type, dimensions));
    }

    /// <summary>What the computation before left by <see cref="SetNextState"/>; the first finds the initial value.</summary>
    public string AddState(string name, Tensor initial, ImmutableArray<long> dimensions)
    {
        var value = Unique(name);
        _states.Add(initial);
        _statePorts.Message(11, ValueProto(value, initial.Type, dimensions));
        return value;
    }

    /// <summary>What the next computation finds. Once for each state, in the order they were added.</summary>
    public void SetNextState(string value, ImmutableArray<long> dimensions)
    {
        _statePorts.Message(12, ValueProto(Owned(value), _states[_nextStates++].Type, dimensions));
    }

    /// <summary>A constant. Its data is not copied before <see cref="ToModel"/>.</summary>
    public string AddConstant(Tensor tensor, string name = "")
    {
        var value = Unique(name.Length > 0 ? name : "const");
        _constants.Message(5, TensorProto(value, tensor));
        return value;
    }

    /// <summary>A constant list of numbers, as shapes and axes are.</summary>
    public string AddInts(params ReadOnlySpan<long> values) => AddConstant(Row(TensorType.I64, values, [values.Length]));

    /// <summary>A constant number.</summary>
    public string AddInt(long value) => AddConstant(Row<long>(TensorType.I64, [value], []));

    /// <summary>A constant list of numbers.</summary>
    public string AddFloats(params ReadOnlySpan<float> values) => AddConstant(Row(TensorType.F32, values, [values.Length]));

    /// <summary>A constant number.</summary>
    public string AddFloat(float value) => AddConstant(Row<float>(TensorType.F32, [value], []));

    /// <summary>A node with one output. An empty input is one that is left out.</summary>
    public string AddNode(string op, ReadOnlySpan<string> inputs, params ReadOnlySpan<OnnxAttribute> attributes) =>
        AddNodes(op, inputs, outputs: 1, attributes)[0];

    /// <summary>A node with several outputs.</summary>
    public string[] AddNodes(string op, ReadOnlySpan<string> inputs, int outputs, params ReadOnlySpan<OnnxAttribute> attributes)
    {
        var node = new ProtoMessage();
        foreach (var input in inputs) node.Text(1, input);
        var values = new string[outputs];
        for (var i = 0; i < outputs; i++)
        {
            values[i] = Unique(Scope.Length > 0 ? Scope : op);
            _made.Add(values[i]);
            node.Text(2, values[i]);
        }

        node.Text(3, values[0]).Text(4, op);
        foreach (var attribute in attributes) node.Message(5, attribute.Message);
        _nodes.Message(1, node);
        return values;
    }

    /// <summary>The whole as a model. Not for a body.</summary>
    public OnnxModel ToModel()
    {
        if (_nextStates != _states.Count) throw new InvalidOperationException("a state has no next value");
        var bytes = new ProtoMessage()
            .Number(1, IrVersion)
            .Text(2, "millrace")
            .Message(8, new ProtoMessage().Text(1, "").Number(2, Opset))
            .Message(7, GraphProto("main"))
            .ToArray();
        return new(bytes, [.. _inputs], [.. _outputs], [.. _states]);
    }

    /// <summary><c>GraphProto</c></summary>
    internal ProtoMessage GraphProto(string name) =>
        new ProtoMessage().Append(_nodes).Text(2, name).Append(_constants).Append(_ports).Append(_statePorts);

    /// <summary><c>TensorProto</c></summary>
    internal static ProtoMessage TensorProto(string name, Tensor tensor)
    {
        if (tensor.Data.Length != (long)Tensor.Count(tensor.Dimensions) * Tensor.Bytes(tensor.Type))
            throw new ArgumentException($"{name} holds {tensor.Data.Length} bytes, and its sizes say otherwise", nameof(tensor));
        return new ProtoMessage()
            .Numbers(1, tensor.Dimensions.AsSpan())
            .Number(2, (int)tensor.Type.ToOnnx())
            .Text(8, name)
            .Bytes(9, tensor.Data);
    }

    static ProtoMessage ValueProto(string name, TensorType type, ImmutableArray<long> dimensions)
    {
        var tensor = new ProtoMessage().Number(1, (int)type.ToOnnx());
        if (!dimensions.IsDefault) tensor.Message(2, ShapeProto(dimensions));
        return new ProtoMessage().Text(1, name).Message(2, new ProtoMessage().Message(1, tensor));
    }

    static ProtoMessage ShapeProto(ImmutableArray<long> dimensions)
    {
        var shape = new ProtoMessage();
        foreach (var size in dimensions) shape.Message(1, size < 0 ? new ProtoMessage() : new ProtoMessage().Number(1, size));
        return shape;
    }

    static Tensor Row<T>(TensorType type, ReadOnlySpan<T> values, ImmutableArray<long> dimensions) where T : unmanaged =>
        new(type, dimensions, MemoryMarshal.AsBytes(values).ToArray());

    // Only what a node here made can be an output, and only once: all else goes through a node.
    string Owned(string value)
    {
        if (_made.Remove(value)) return value;
        value = AddNode("Identity", [value]);
        _made.Remove(value);
        return value;
    }

    string Unique(string name)
    {
        if (name.Length > 0 && _names.Add(name)) return name;
        for (var number = _names.Count; ; number++)
        {
            var candidate = $"{name}.{number}";
            if (_names.Add(candidate)) return candidate;
        }
    }
}
