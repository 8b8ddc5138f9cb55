using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>The nodes of a graph or of a function by name, and the order in which they can be computed.</summary>
sealed class NodeGraph
{
    // They print, check or record: nothing comes out of them.
    static readonly HashSet<string> Silent =
    [
        "NoOp", "Assert", "PrintV2", "ScalarSummary", "HistogramSummary", "ImageSummary", "TensorSummary", "TensorSummaryV2",
        "MergeSummary", "Assign", "AssignVariableOp", "SaveV2",
    ];

    readonly Dictionary<string, NodeDef> _byName = new(StringComparer.Ordinal);
    readonly ImmutableArray<NodeDef> _nodes;

    /// <summary>Checks names.</summary>
    /// <exception cref="NnException">Two nodes have one name.</exception>
    public NodeGraph(ImmutableArray<NodeDef> nodes)
    {
        _nodes = nodes;
        foreach (var node in nodes)
        {
            if (!_byName.TryAdd(node.Name, node))
                throw new NnException(NnErrno.InvalidEncoding, $"the GraphDef is damaged: two nodes are called \"{node.Name}\"");
        }
    }

    /// <summary>
    /// Checks that what nodes read is there, and that none waits for itself: of dead nodes too, for what is damaged there may
    /// be damaged elsewhere.
    /// </summary>
    /// <exception cref="NnException">It is not so.</exception>
    public NodeGraph Checked()
    {
        var readers = _nodes.SelectMany(node => Inputs(node).Select(input => (Read: Find(input.Node, node).Name, Reader: node)))
            .ToLookup(pair => pair.Read, pair => pair.Reader, StringComparer.Ordinal);
        var waiting = _nodes.ToDictionary(node => node.Name, node => Inputs(node).Count(), StringComparer.Ordinal);
        var free = new Stack<NodeDef>(_nodes.Where(node => waiting[node.Name] == 0));
        while (free.TryPop(out var node))
        {
            waiting.Remove(node.Name);
            foreach (var reader in readers[node.Name])
            {
                if (--waiting[reader.Name] == 0) free.Push(reader);
            }
        }

        return waiting.Count == 0 ? this : throw new NnException(NnErrno.InvalidEncoding,
            $"the graph has a cycle: \"{string.Join("\", \"", waiting.Keys.Take(3))}\" wait for each other");

        // A loop's next turn begins where it ended: that is no cycle.
        IEnumerable<Reference> Inputs(NodeDef node) =>
            node.Inputs.Select(Reference.Parse).Where(input => Find(input.Node)?.Op is not ("NextIteration" or "RefNextIteration"));
    }

    /// <summary>In the file's order.</summary>
    public ImmutableArray<NodeDef> Nodes => _nodes;

    /// <summary>Under which conditions the nodes are computed.</summary>
    public Guards Guards => field ??= new(this);

    /// <summary>A node; null where there is none.</summary>
    public NodeDef? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The node that an input of another names.</summary>
    public NodeDef Find(string name, NodeDef reader) => Find(name) ?? throw new NnException(NnErrno.InvalidEncoding,
        $"node \"{reader.Name}\" (operator {reader.Op}) reads \"{name}\", which is not in the graph");

    /// <summary>
    /// Nodes that nobody reads. Those that follow from the inputs come first: what follows from none may be a leftover.
    /// What only records is no result, and what only that reads is one.
    /// </summary>
    public List<NodeDef> Sinks()
    {
        var readers = Readers();
        var unread = _nodes.Where(node => readers[node.Name] == 0).Select(node => node.Name).ToHashSet(StringComparer.Ordinal);
        var silent = new Stack<NodeDef>(_nodes.Where(node => readers[node.Name] == 0 && Silent.Contains(node.Op)));
        while (silent.TryPop(out var node))
        {
            foreach (var input in node.Inputs.Select(Reference.Parse))
            {
                if (Find(input.Node) is { } read && --readers[read.Name] == 0 && Silent.Contains(read.Op)) silent.Push(read);
            }
        }

        var fed = FollowsFromInputs();
        var ends = _nodes.Where(node => readers[node.Name] == 0 && !Silent.Contains(node.Op)).ToList();
        var results = ends.Where(node => fed.Contains(node.Name) && node.Op != "Placeholder").ToList();
        return [.. results, .. ends.Where(node => node.Op == "Const" && unread.Contains(node.Name))];
    }

    /// <summary>These tensors' nodes, and all that they follow from.</summary>
    public HashSet<string> Before(IEnumerable<string> tensors)
    {
        var before = new HashSet<string>(tensors.Select(tensor => Reference.Parse(tensor).Node), StringComparer.Ordinal);
        var open = new Stack<string>(before);
        while (open.TryPop(out var name))
        {
            foreach (var input in Find(name)?.Inputs ?? [])
            {
                if (Reference.Parse(input) is { IsControl: false } read && before.Add(read.Node)) open.Push(read.Node);
            }
        }

        return before;
    }

    Dictionary<string, int> Readers()
    {
        var readers = _nodes.ToDictionary(node => node.Name, _ => 0, StringComparer.Ordinal);
        foreach (var input in _nodes.SelectMany(node => node.Inputs).Select(Reference.Parse))
        {
            if (readers.TryGetValue(input.Node, out var count)) readers[input.Node] = count + 1;
        }

        return readers;
    }

    HashSet<string> FollowsFromInputs()
    {
        var readers = _nodes
            .SelectMany(node => node.Inputs.Select(input => (Read: Reference.Parse(input).Node, node.Name)))
            .ToLookup(pair => pair.Read, pair => pair.Name, StringComparer.Ordinal);
        var fed = new HashSet<string>(_nodes.Where(node => node.Op == "Placeholder").Select(node => node.Name), StringComparer.Ordinal);
        var open = new Stack<string>(fed);
        while (open.TryPop(out var name))
        {
            foreach (var reader in readers[name])
            {
                if (fed.Add(reader)) open.Push(reader);
            }
        }

        return fed;
    }
}
