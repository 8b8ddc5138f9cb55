using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Converts the layers of a net, each when its value is wanted: what no output needs is not looked at.</summary>
sealed class IrConverter
{
    readonly IrNet _net;
    readonly ReadOnlyMemory<byte> _weights;
    readonly OnnxGraphBuilder _constants;
    readonly Dictionary<(string Layer, string Port), IrValue> _values = [];
    readonly Dictionary<(string Layer, string Port), Tensor?> _folded = [];
    readonly Dictionary<string, bool> _isConstant = [];
    readonly IrConverter? _outer;
    HashSet<(string Layer, string Port)>? _used;

    /// <summary>A converter into a graph. Constants go into the outermost one.</summary>
    public IrConverter(
        IrNet net, ReadOnlyMemory<byte> weights, OnnxGraphBuilder graph, OnnxGraphBuilder constants, IrConverter? outer = null) =>
        (_net, _weights, Graph, _constants, _outer) = (net, weights, graph, constants, outer);

    /// <summary>The graph that is written.</summary>
    public OnnxGraphBuilder Graph { get; }

    /// <summary>Converts a whole model.</summary>
    /// <exception cref="NnException">The model is malformed, or a layer cannot be converted; the message names it.</exception>
    public static OnnxModel Convert(IrNet net, ReadOnlyMemory<byte> weights)
    {
        net = OpenSizes.Of(net);
        var graph = new OnnxGraphBuilder();
        var converter = new IrConverter(net, weights, graph, graph);
        foreach (var layer in net.Layers.Where(layer => layer.Type == "Parameter"))
        {
            var port = OutputPort(layer, 0);
            var name = graph.AddInput(PortName(layer, port), port.Type, port.Dimensions);
            converter.Bind(layer, new(port.Type, port.Dimensions, name));
        }

        var states = new IrStates(net, converter);
        foreach (var layer in net.Layers.Where(layer => layer.Type == "Result"))
        {
            var (from, port) = converter.Source(layer, 0);
            var value = converter.Value(from.Id, port.Id);
            graph.AddOutput(PortName(from, port), value.Name, value.Type, port.Dimensions);
        }

        states.Finish();
        return graph.ToModel();
    }

    /// <summary>Gives a body's parameter its value.</summary>
    public void Bind(IrLayer parameter, IrValue value) => _values[(parameter.Id, OutputPort(parameter, 0).Id)] = value;

    /// <summary>A layer of this net.</summary>
    public IrLayer Layer(string id) => _net.ById.TryGetValue(id, out var layer)
        ? layer : throw new NnException(NnErrno.InvalidEncoding, $"OpenVINO IR is malformed: there is no layer {id}, which is named");

    /// <summary>The value that comes into a layer.</summary>
    public IrValue Input(IrLayer layer, int index)
    {
        var (from, port) = Source(layer, index);
        return Value(from.Id, port.Id);
    }

    /// <summary>Whether anything reads an output.</summary>
    public bool IsUsed(IrLayer layer, int output) =>
        (_used ??= [.. _net.Edges.Values]).Contains((layer.Id, layer.Outputs[output].Id));

    /// <summary>A converter of a body of this net.</summary>
    public IrConverter Body(IrNet net, OnnxGraphBuilder graph) => new(net, _weights, graph, _constants);

    /// <summary>A constant in the outermost graph.</summary>
    public IrValue Constant(Tensor tensor, string name = "") => new(tensor, () => _constants.AddConstant(tensor, name));

    /// <summary>What comes into a layer, where that does not depend on the model's inputs; else null.</summary>
    public Tensor? Fold(IrLayer layer, int index)
    {
        var (from, port) = Source(layer, index);
        var key = (from.Id, port.Id);
        if (Known(key) is { } known) return known;
        if (_folded.TryGetValue(key, out var folded)) return folded;
        return _folded[key] = IsConstant(from) ? Compute(from, port) : null;
    }

    // What is a constant in the file, or was computed before.
    Tensor? Known((string Layer, string Port) key) =>
        _values.TryGetValue(key, out var value) && value.Constant is { } constant ? constant
        : _folded.GetValueOrDefault(key) ?? _outer?.Known(key);

    // The engine itself computes what is constant: a graph of its own, without inputs.
    Tensor Compute(IrLayer from, IrPort port)
    {
        var graph = new OnnxGraphBuilder();
        var converter = new IrConverter(_net, _weights, graph, graph, this);
        var value = converter.Value(from.Id, port.Id);
        if (value.Constant is { } known) return known;
        graph.AddOutput("folded", value.Name, value.Type, default);
        using var onnx = OnnxGraph.Load(graph.ToModel(), threads: 1);
        using var context = onnx.CreateContext();
        context.Compute(CancellationToken.None);
        return context.GetOutput(0);
    }

    bool IsConstant(IrLayer last)
    {
        var open = new Stack<(IrLayer Layer, bool IsDone)>([(last, false)]);
        while (open.TryPop(out var step))
        {
            var layer = step.Layer;
            if (step.IsDone)
            {
                _isConstant[layer.Id] = Sources(layer).All(source => _isConstant[source.Layer.Id]);
                continue;
            }

            // One that is met again before it is done lies on a circle, which is refused where it is converted.
            var isKnown = !layer.Outputs.IsEmpty && Known((layer.Id, layer.Outputs[0].Id)) is not null;
            var isOpen = !isKnown && layer.Type is "Parameter" or "ReadValue" or "RandomUniform" or "Multinomial";
            if (!_isConstant.TryAdd(layer.Id, !isOpen)) continue;
            if (isKnown || isOpen) continue;
            open.Push((layer, true));
            foreach (var (from, _) in Sources(layer)) open.Push((from, false));
        }

        return _isConstant[last.Id];
    }

    IrValue Value(string layerId, string portId)
    {
        var open = new Stack<IrLayer>([Layer(layerId)]);
        var begun = new HashSet<string>();
        while (open.TryPeek(out var layer))
        {
            if (layer.Outputs.All(port => IsThere(layer, port)))
            {
                open.Pop();
                continue;
            }

            // Layers that were begun and are not finished when they are met again lie on a circle.
            var isFirst = begun.Add(layer.Id);
            var missing = Sources(layer).Where(source => !IsThere(source.Layer, source.Port)).ToList();
            if (missing.Count > 0)
            {
                if (!isFirst) throw layer.Malformed("it lies on a circle of edges");
                foreach (var (from, _) in missing)
                {
                    if (begun.Contains(from.Id)) throw layer.Malformed("it lies on a circle of edges");
                    open.Push(from);
                }

                continue;
            }

            open.Pop();
            ConvertLayer(layer);
        }

        return _values.TryGetValue((layerId, portId), out var value)
            ? value : throw Layer(layerId).Malformed($"it has no output port {portId}, which an edge names");
    }

    // Whether a value was converted. What the graph around this one knows as a constant is one here.
    bool IsThere(IrLayer layer, IrPort port)
    {
        var key = (layer.Id, port.Id);
        if (_values.ContainsKey(key)) return true;
        if (_outer?.Known(key) is not { } constant) return false;
        _values[key] = Constant(constant);
        return true;
    }

    /// <summary>
    /// The sizes that a ShapeOf tells, where the file declares all of them: a constant, which needs nothing of the value. Null
    /// for everything else.
    /// </summary>
    public long[]? ToldSizes(IrLayer layer) =>
        layer.Type == "ShapeOf" && Source(layer, 0).Port.Dimensions is var sizes && sizes.All(size => size >= 0) ? [.. sizes] : null;

    IEnumerable<(IrLayer Layer, IrPort Port)> Sources(IrLayer layer) =>
        ToldSizes(layer) is not null ? [] : Enumerable.Range(0, layer.Inputs.Length).Select(index => Source(layer, index));

    /// <summary>Where an input comes from.</summary>
    public (IrLayer Layer, IrPort Port) Source(IrLayer layer, int index)
    {
        if (index >= layer.Inputs.Length) throw layer.Malformed($"input {index} is missing");
        if (!_net.Edges.TryGetValue((layer.Id, layer.Inputs[index].Id), out var edge))
            throw layer.Malformed($"no edge leads to its input port {layer.Inputs[index].Id}");
        var from = Layer(edge.Layer);
        var port = _net.Outputs.GetValueOrDefault((edge.Layer, edge.Port))
            ?? throw from.Malformed($"it has no output port {edge.Port}, which an edge names");
        return (from, port);
    }

    void ConvertLayer(IrLayer layer)
    {
        var outer = Graph.Scope;
        Graph.Scope = layer.Name;
        if (layer.Type == "Const")
        {
            _values[(layer.Id, OutputPort(layer, 0).Id)] = Constant(IrConstants.Read(layer, _weights), layer.Name);
        }
        else
        {
            var conversion = new Conversion(this, layer);
            var names = Names(conversion, Operators.Of(layer));
            for (var i = 0; i < layer.Outputs.Length; i++)
            {
                var port = layer.Outputs[i];
                if (i < names.Length) _values[(layer.Id, port.Id)] = conversion.Output(i, names[i]);
                else throw layer.Malformed($"it has {layer.Outputs.Length} outputs, and its operator {names.Length}");
            }
        }

        Graph.Scope = outer;
    }

    // Converters count with the sizes and numbers that the file declares. Where these do not fit their operator, some place or
    // product of them does not exist, and the file is at fault.
    static string[] Names(Conversion conversion, Func<Conversion, string[]> convert)
    {
        try
        {
            return convert(conversion);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentException or ArithmeticException or InvalidOperationException)
        {
            throw conversion.Layer.Malformed($"its sizes and attributes do not fit its operator ({e.GetType().Name})");
        }
    }

    static IrPort OutputPort(IrLayer layer, int index) =>
        index < layer.Outputs.Length ? layer.Outputs[index] : throw layer.Malformed($"output {index} is missing");

    static string PortName(IrLayer from, IrPort port) => port.Names is [var name, ..] ? name
        : from.Outputs.Length == 1 ? from.Name : $"{from.Name}.{from.Outputs.IndexOf(port)}";
}
