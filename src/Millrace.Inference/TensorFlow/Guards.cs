using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>
/// Under which conditions nodes are computed in TensorFlow 1's graphs. A Switch gives its input to one of two outputs; all
/// that follows from the other is left out, until a Merge takes what there is.
/// </summary>
sealed class Guards(NodeGraph graph)
{
    static readonly ImmutableDictionary<string, bool> None = ImmutableDictionary.Create<string, bool>(StringComparer.Ordinal);

    const int GuardsMax = 256;

    readonly Dictionary<string, string> _conditions = new(StringComparer.Ordinal);
    readonly Dictionary<string, ImmutableDictionary<string, bool>> _byNode = new(StringComparer.Ordinal);

    /// <summary>Names of the conditions, and what they must be, for one output of a node.</summary>
    public ImmutableDictionary<string, bool> Of(Reference reference)
    {
        Walk(reference.Node);
        return Read(reference);
    }

    ImmutableDictionary<string, bool> Read(Reference reference)
    {
        var guards = _byNode.GetValueOrDefault(reference.Node, None);
        if (graph.Find(reference.Node) is not { Op: "Switch" } node || reference.IsControl || node.Inputs.Length < 2) return guards;
        return guards.SetItem(Condition(node.Inputs[1]), reference.Index == 1);
    }

    // The condition itself, whatever names it was passed on under.
    string Condition(string text)
    {
        var (name, way) = (text, new List<string>());
        while (!_conditions.ContainsKey(name) && way.Count < graph.Nodes.Length
            && graph.Find(Reference.Parse(name).Node) is { Op: "Identity", Inputs: [var input, ..] })
        {
            way.Add(name);
            name = input;
        }

        name = _conditions.GetValueOrDefault(name, name);
        foreach (var passed in way) _conditions[passed] = name;
        return name;
    }

    // Conditions inside conditions; of many that are met together nobody could tell one from another.
    static ImmutableDictionary<string, bool> Bounded(ImmutableDictionary<string, bool> guards) => guards.Count <= GuardsMax ? guards
        : throw new NnException(NnErrno.TooLarge, $"nodes of the graph are computed under more than {GuardsMax} conditions at once");

    void Walk(string wanted)
    {
        var (way, open) = (new Stack<(string Name, bool IsDone)>(), new HashSet<string>(StringComparer.Ordinal));
        way.Push((wanted, false));
        while (way.TryPop(out var step))
        {
            if (graph.Find(step.Name) is not { } node || _byNode.ContainsKey(step.Name)) continue;
            Reference[] inputs = [.. node.Inputs.Select(Reference.Parse)];
            if (step.IsDone)
            {
                // What leaves a loop is there when the loop is over.
                _byNode[step.Name] = Bounded(node.Op switch
                {
                    "Exit" => None,
                    "Merge" when inputs.Length > 0 => Merged(inputs),
                    _ => inputs.Aggregate(None, (all, input) => Read(input) is { Count: > 0 } more ? all.SetItems(more) : all),
                });
                continue;
            }

            // What is met again on its own way lies on a loop, which has no end to look for.
            if (!open.Add(step.Name)) continue;
            way.Push((step.Name, true));
            foreach (var input in inputs) way.Push((input.Node, false));
        }
    }

    ImmutableDictionary<string, bool> Merged(Reference[] inputs)
    {
        var (first, others) = (Read(inputs[0]), inputs.Skip(1).Select(Read).ToArray());
        return first.Where(guard => others.All(other => !other.TryGetValue(guard.Key, out var value) || value == guard.Value))
            .Aggregate(None, (all, guard) => all.SetItem(guard.Key, guard.Value));
    }
}
