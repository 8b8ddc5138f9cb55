using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>A graph or a function while it is converted: the values of its nodes. Each node is converted once, when it is needed.</summary>
sealed class Scope(Conversion conversion, NodeGraph graph, ImmutableDictionary<string, Value> given)
{
    readonly Dictionary<string, Value[]> _values =
        given.ToDictionary(pair => pair.Key, pair => new[] { pair.Value }, StringComparer.Ordinal);

    // Nodes on the way from what was asked for: one that is met again lies on a cycle.
    readonly HashSet<string> _open = new(StringComparer.Ordinal);

    /// <summary>The nodes.</summary>
    public NodeGraph Graph { get; } = graph;

    /// <summary>The value that a name stands for.</summary>
    /// <exception cref="NnException">It, or something it follows from, cannot be computed.</exception>
    public Value Resolve(string text)
    {
        var reference = Reference.Parse(text);
        if (!_values.ContainsKey(reference.Node))
            Convert(Graph.Find(reference.Node) ?? throw new NnException(NnErrno.NotFound, $"the graph has no node \"{reference.Node}\""));
        return Read(reference);
    }

    /// <summary>How many outputs a node has.</summary>
    public int Count(NodeDef node)
    {
        if (!_values.ContainsKey(node.Name)) Convert(node);
        return _values[node.Name].Length;
    }

    // By hand, as a graph may be deeper than a stack.
    void Convert(NodeDef wanted)
    {
        var way = new Stack<(NodeDef Node, int Next)>();
        Enter(way, wanted);
        while (way.TryPop(out var step))
        {
            var (node, next) = step;
            if (next < node.Inputs.Length)
            {
                way.Push((node, next + 1));
                var input = Reference.Parse(node.Inputs[next]);
                if (!input.IsControl && !_values.ContainsKey(input.Node)) Enter(way, Graph.Find(input.Node, node));
                continue;
            }

            _open.Remove(node.Name);
            var inputs = node.Inputs.Select(Reference.Parse).Where(input => !input.IsControl).Select(Read).ToArray();
            _values[node.Name] = conversion.Convert(this, node, inputs);
        }
    }

    void Enter(Stack<(NodeDef Node, int Next)> way, NodeDef node)
    {
        Conversion.Check(node);
        if (!_open.Add(node.Name))
            throw new NnException(NnErrno.InvalidEncoding, $"the graph has a cycle through node \"{node.Name}\" (operator {node.Op})");
        way.Push((node, 0));
    }

    Value Read(Reference reference)
    {
        var values = _values[reference.Node];
        var place = reference.Place(Graph.Find(reference.Node)?.Op ?? "");
        return place < values.Length ? values[place]
            : throw new NnException(NnErrno.InvalidEncoding, $"node \"{reference.Node}\" has no output {place}");
    }
}
