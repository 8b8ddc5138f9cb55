using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Inference.TensorFlow.Operators;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>A frozen graph as ONNX. Only what the outputs follow from is converted; what else a graph holds may be anything.</summary>
sealed class Conversion
{
    // A function may call one that calls one; and a few functions can stand for any number of nodes.
    const int CallsMax = 64;
    const int NodesMax = 1_000_000;

    readonly GraphDef _graph;
    readonly Emitter _emitter;
    readonly Dictionary<string, NodeGraph> _functions = new(StringComparer.Ordinal);
    int _calls;
    int _nodes;

    Conversion(GraphDef graph, OnnxGraphBuilder builder) => (_graph, _emitter) = (graph, new(builder));

    /// <summary>Converts.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="outputs">Names of the tensors wanted; none for those that no node reads.</param>
    /// <exception cref="NnException">It is damaged, or has an operator that is not in the set; the message names it.</exception>
    public static OnnxModel Convert(GraphDef graph, ImmutableArray<string> outputs)
    {
        var (nodes, builder) = (new NodeGraph(graph.Nodes).Checked(), new OnnxGraphBuilder());
        var conversion = new Conversion(graph, builder);
        // For tensors that are asked for by name, nothing is needed that they do not follow from.
        var needed = outputs.IsDefaultOrEmpty ? null : nodes.Before(outputs);
        var scope = new Scope(conversion, nodes, Inputs(nodes, needed, builder));
        foreach (var name in outputs.IsDefaultOrEmpty ? Results(scope) : [.. outputs])
        {
            var value = scope.Resolve(name);
            builder.AddOutput(name.Contains(':') ? name : name + ":0", value.Name, value.Type, value.Shape);
        }

        return builder.ToModel();
    }

    /// <summary>Refuses a node whose operator is not in the set.</summary>
    public static void Check(NodeDef node)
    {
        if (OperatorTable.Find(node.Op) is not null || ControlFlow.Has(node.Op)) return;
        throw new NnException(NnErrno.UnsupportedOperation, node.Op switch
        {
            "Placeholder" => $"operator Placeholder at node \"{node.Name}\": its type is not supported",
            "Variable" or "VariableV2" or "VarHandleOp" or "ReadVariableOp" =>
                $"operator {node.Op} at node \"{node.Name}\": the graph is not frozen: its variables have no values; freeze it",
            _ => $"operator {node.Op} at node \"{node.Name}\" is not supported",
        });
    }

    /// <summary>Writes a node whose inputs are there.</summary>
    public Value[] Convert(Scope scope, NodeDef node, Value[] inputs)
    {
        if (++_nodes > NodesMax) throw new NnException(NnErrno.TooLarge, $"the graph stands for more than {NodesMax} nodes");
        _emitter.Graph.Scope = node.Name;
        var call = new Call(node, inputs, _emitter);
        try
        {
            return OperatorTable.Find(node.Op) is { } row ? row.Convert(call) : new ControlFlow(this, scope).Convert(call, node);
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException or InvalidOperationException or OverflowException)
        {
            // Ranks, axes and lists that no graph of TensorFlow's own has together.
            throw call.Damaged($"has inputs and attributes that do not fit together: {e.Message}");
        }
    }

    /// <summary>Writes a function's nodes where it is called.</summary>
    public Value[] Inline(Call call, string name, ReadOnlySpan<Value> arguments)
    {
        var function = _graph.Functions.GetValueOrDefault(name)
            ?? throw call.Damaged($"calls \"{name}\", which is not in the graph");
        if (function.Parameters.Length != arguments.Length)
            throw call.Damaged($"gives \"{name}\" {arguments.Length} inputs, it wants {function.Parameters.Length}");
        if (_calls == CallsMax)
            throw new NnException(NnErrno.TooLarge, $"functions of the graph call each other more than {CallsMax} deep");
        var given = ImmutableDictionary.CreateBuilder<string, Value>(StringComparer.Ordinal);
        for (var i = 0; i < arguments.Length; i++) given[function.Parameters[i]] = arguments[i];
        _calls++;
        var scope = new Scope(this, NodesOf(name, function.Nodes), given.ToImmutable());
        Value[] results = [.. function.Results.Select(scope.Resolve)];
        _calls--;
        return results;
    }

    // A function that is called often is looked through once.
    NodeGraph NodesOf(string function, ImmutableArray<NodeDef> nodes)
    {
        if (_functions.TryGetValue(function, out var known)) return known;
        return _functions[function] = new(nodes);
    }

    // The placeholders, in the file's order. One of a type that is not computed here is none; who reads it is refused.
    static ImmutableDictionary<string, Value> Inputs(NodeGraph nodes, HashSet<string>? needed, OnnxGraphBuilder builder)
    {
        var inputs = ImmutableDictionary.CreateBuilder<string, Value>(StringComparer.Ordinal);
        foreach (var node in nodes.Nodes.Where(node => node.Op == "Placeholder" && needed?.Contains(node.Name) is not false))
        {
            if (!node.Attributes.TryGetValue("dtype", out var number) || ElementTypes.Find(number.Type) is not { } type) continue;
            var shape = node.Attributes.TryGetValue("shape", out var sizes) ? sizes.Shape : default;
            inputs[node.Name] = new(builder.AddInput(node.Name + ":0", type, shape), type, shape);
        }

        return inputs.ToImmutable();
    }

    // Of a node with several outputs all are results, but for what a normalisation keeps for training.
    static List<string> Results(Scope scope)
    {
        var names = new List<string>();
        foreach (var node in scope.Graph.Sinks().Where(node => !ControlFlow.IsGuarded(scope.Graph, node)))
        {
            var count = node.Op.StartsWith("FusedBatchNorm", StringComparison.Ordinal) ? 1 : scope.Count(node);
            for (var i = 0; i < count; i++) names.Add($"{node.Name}:{i}");
        }

        if (names.Count == 0) throw new NnException(NnErrno.InvalidEncoding, "the graph computes nothing: it has no outputs");
        return names;
    }
}
