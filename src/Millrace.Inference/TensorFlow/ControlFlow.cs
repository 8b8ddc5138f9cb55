using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>
/// Calls, branches and loops. Functions are written where they are called. TensorFlow 1's branches (Switch, Merge) are both
/// computed, and one is taken; its loops (Enter, Exit, NextIteration) are not in the set.
/// </summary>
sealed class ControlFlow(Conversion conversion, Scope scope)
{
    static readonly HashSet<string> Operators =
        ["PartitionedCall", "StatefulPartitionedCall", "If", "StatelessIf", "While", "StatelessWhile", "Switch", "Merge"];

    /// <summary>Whether an operator is one of these.</summary>
    public static bool Has(string op) => Operators.Contains(op);

    /// <summary>Whether a node is computed in one branch only: then it is no output.</summary>
    public static bool IsGuarded(NodeGraph graph, NodeDef node) =>
        graph.Guards.Of(new(node.Name, null, 0, IsControl: false)).Count > 0;

    /// <summary>Writes a node.</summary>
    public Value[] Convert(Call call, NodeDef node) => call.Op switch
    {
        "Switch" => [call[0], call[0]],
        "Merge" => Merge(call, node),
        "If" or "StatelessIf" => If(call, node),
        "While" or "StatelessWhile" => While(call, node),
        _ => conversion.Inline(call, Function(node, "f"), call.Inputs),
    };

    static string Function(NodeDef node, string attribute) =>
        node.Attributes.TryGetValue(attribute, out var value) ? value.Function : "";

    Value[] Merge(Call call, NodeDef node)
    {
        var guards = scope.Graph.Guards;
        Reference[] inputs = [.. node.Inputs.Select(Reference.Parse).Where(input => !input.IsControl)];
        if (inputs.Length != 2) throw call.Refuse($"it joins {inputs.Length} branches");
        var (first, second) = (guards.Of(inputs[0]), guards.Of(inputs[1]));
        var deciding = first.Keys.Where(key => second.TryGetValue(key, out var other) && other != first[key]).ToArray();
        if (deciding.Length != 1) throw call.Refuse("what decides between its branches cannot be told");
        var condition = scope.Resolve(deciding[0]);
        var (yes, no) = first[deciding[0]] ? (0, 1) : (1, 0);
        var index = call.E.Where(condition, call.E.Scalar(yes, TensorType.I32), call.E.Scalar(no, TensorType.I32));
        return [.. Branch(call, condition, () => [call[yes]], () => [call[no]]), index];
    }

    Value[] If(Call call, NodeDef node)
    {
        var condition = call.E.Cast(call[0], TensorType.Bool);
        var arguments = call.Inputs[1..].ToArray();
        return Branch(call, condition,
            () => conversion.Inline(call, Function(node, "then_branch"), arguments),
            () => conversion.Inline(call, Function(node, "else_branch"), arguments));
    }

    static Value[] Branch(Call call, Value condition, Func<Value[]> whenTrue, Func<Value[]> whenFalse)
    {
        var (e, around, name) = (call.E, call.E.Graph, call.Node);
        var (then, yes) = Body(e, whenTrue);
        var (otherwise, no) = Body(e, whenFalse);
        if (yes.Length != no.Length || yes.Zip(no).Any(pair => pair.First.Type != pair.Second.Type))
            throw call.Damaged("has branches that give different types");
        around.Scope = name;
        if (yes.Length == 0) return [];
        OnnxAttribute[] bodies = [new("then_branch", then), new("else_branch", otherwise)];
        var names = around.AddNodes("If", [condition.Name], yes.Length, bodies);
        return [.. names.Select((result, i) => new Value(result, yes[i].Type, Either(yes[i].Shape, no[i].Shape)))];
    }

    static (OnnxGraphBuilder Body, Value[] Results) Body(Emitter e, Func<Value[]> write)
    {
        var (around, body) = (e.Graph, e.Graph.Body());
        e.Graph = body;
        var results = write();
        foreach (var result in results) body.AddOutput("", result.Name, result.Type, result.Shape);
        e.Graph = around;
        return (body, results);
    }

    Value[] While(Call call, NodeDef node)
    {
        var (e, around) = (call.E, call.E.Graph);
        var start = call.Inputs.ToArray();
        var goesOn = Condition(call, node, start);
        around.Scope = call.Node;
        var body = around.Body();
        e.Graph = body;
        body.AddInput("iteration", TensorType.I64, []);
        body.AddInput("goes.on", TensorType.Bool, []);
        // A variable may have another size in each turn.
        Value[] variables = [.. start.Select(value => new Value(body.AddInput("variable", value.Type, default), value.Type, default))];
        var next = conversion.Inline(call, Function(node, "body"), variables);
        if (next.Length != start.Length || next.Zip(start).Any(pair => pair.First.Type != pair.Second.Type))
            throw call.Damaged("has a body that gives other types than it takes");
        var again = Condition(call, node, next);
        foreach (var result in next.Prepend(again)) body.AddOutput("", result.Name, result.Type, result.Shape);
        e.Graph = around;
        string[] inputs = ["", goesOn.Name, .. start.Select(value => value.Name)];
        var names = around.AddNodes("Loop", inputs, start.Length, new OnnxAttribute("body", body));
        return [.. names.Select((name, i) => new Value(name, start[i].Type, default))];
    }

    Value Condition(Call call, NodeDef node, Value[] variables)
    {
        var results = conversion.Inline(call, Function(node, "cond"), variables);
        if (results.Length != 1) throw call.Refuse($"its condition has {results.Length} results");
        return call.E.Reshape(call.E.Cast(results[0], TensorType.Bool), call.E.Whole([0], []));
    }

    static ImmutableArray<long> Either(ImmutableArray<long> x, ImmutableArray<long> y) =>
        x.IsDefault || y.IsDefault || x.Length != y.Length ? default : [.. x.Zip(y, (a, b) => a == b ? a : -1)];
}
