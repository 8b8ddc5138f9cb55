using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>
/// Recurrent networks. OpenVINO has the batch first and one bias, ONNX time first, another order of gates and two biases.
/// </summary>
static class Recurrent
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("LSTMCell", 1, c => Cell(c, "LSTM", 2)), new("LSTMCell", 4, c => Cell(c, "LSTM", 2)),
        new("GRUCell", 3, c => Cell(c, "GRU", 1)), new("RNNCell", 1, c => Cell(c, "RNN", 1)),
        new("LSTMSequence", 1, c => Sequence(c, "LSTM", 2)), new("LSTMSequence", 5, c => Sequence(c, "LSTM", 2)),
        new("GRUSequence", 5, c => Sequence(c, "GRU", 1)), new("RNNSequence", 5, c => Sequence(c, "RNN", 1)),
    ];

    /// <summary>What goes in, with the batch first and a dimension of directions.</summary>
    sealed record Network(
        string Op, string X, string[] States, string Lengths, string Weights, string Recurrence, string Bias, string Direction);

    // A cell is a sequence of one.
    static string[] Cell(Conversion c, string op, int states)
    {
        var (x, first) = (c.Unsqueeze(c.In(0), 1), 1 + states);
        string[] initial = [.. Enumerable.Range(1, states).Select(index => c.Unsqueeze(c.In(index), 1))];
        var bias = c.Has(first + 2) ? c.Unsqueeze(c.In(first + 2), 0) : "";
        if (op == "LSTM" && c.Has(first + 3)) throw c.Layer.Refused("with peepholes");
        var outputs = Run(c, new(op, x, initial, "", c.Unsqueeze(c.In(first), 0), c.Unsqueeze(c.In(first + 1), 0), bias, "forward"));
        return [.. outputs[1..].Select(state => c.Squeeze(state, 1))];
    }

    static string[] Sequence(Conversion c, string op, int states)
    {
        var first = 2 + states;
        if (op == "LSTM" && c.Has(first + 3)) throw c.Layer.Refused("with peepholes");
        string[] initial = [.. Enumerable.Range(1, states).Select(c.In)];
        var lengths = c.Cast(c.Row(1 + states), TensorType.I32);
        return Run(c, new(op, c.In(0), initial, lengths, c.In(first), c.In(first + 1), c.In(first + 2), c.Text("direction", "forward")));
    }

    static string[] Run(Conversion c, Network network)
    {
        if (network.Direction is not ("forward" or "reverse" or "bidirectional"))
            throw c.Layer.Malformed($"direction is {network.Direction}");
        var (op, hidden, directions) = (network.Op, c.Int("hidden_size"), network.Direction == "bidirectional" ? 2 : 1);
        var order = Gates(c, op);
        var isReset = op == "GRU" && c.Flag("linear_before_reset", false);
        var weights = Reorder(c, network.Weights, order);
        var recurrence = Reorder(c, network.Recurrence, order);
        var bias = network.Bias.Length == 0 ? "" : isReset
            ? ResetBias(c, network.Bias, directions, hidden)
            : c.Concat(1, Reorder(c, network.Bias, order), c.Constant(c.TypeOf(0), [directions, order.Length * hidden], 0));
        var attributes = Attributes(c, op, hidden, directions, network.Direction);
        if (op == "GRU") attributes.Add(new("linear_before_reset", isReset ? 1 : 0));
        if (op == "LSTM" && c.Flag("input_forget", false)) attributes.Add(new("input_forget", 1));
        var outputs = c.Graph.AddNodes(
            op,
            [c.Transpose(network.X, 1, 0, 2), weights, recurrence, bias, network.Lengths, .. network.States.Select(state =>
                c.Transpose(state, 1, 0, 2))],
            1 + network.States.Length, [.. attributes]);
        return [c.Transpose(outputs[0], 2, 1, 0, 3), .. outputs[1..].Select(state => c.Transpose(state, 1, 0, 2))];
    }

    // Where each of ONNX's gates lies in OpenVINO's weights.
    static int[] Gates(Conversion c, string op)
    {
        if (op == "RNN") return [0];
        if (op == "GRU") return [0, 1, 2];
        var format = c.Text("weights_format", "fico");
        int[] order = [.. "iofc".Select(gate => format.IndexOf(gate))];
        return format.Length == 4 && order.All(at => at >= 0) ? order : throw c.Layer.Malformed($"weights_format is {format}");
    }

    static string Reorder(Conversion c, string value, int[] order)
    {
        if (order.SequenceEqual(Enumerable.Range(0, order.Length))) return value;
        var gates =
            c.Graph.AddNodes("Split", [value], order.Length, new OnnxAttribute("axis", 1), new OnnxAttribute("num_outputs", order.Length));
        return c.Concat(1, [.. order.Select(at => gates[at])]);
    }

    // With the reset after the product, the last gate has a bias for each of its products.
    static string ResetBias(Conversion c, string bias, int directions, long hidden)
    {
        var parts = c.Graph.AddNodes("Split", [bias], 4, new OnnxAttribute("axis", 1), new OnnxAttribute("num_outputs", 4));
        var zero = c.Constant(c.TypeOf(0), [directions, 2 * hidden], 0);
        return c.Concat(1, parts[0], parts[1], parts[2], zero, parts[3]);
    }

    static List<OnnxAttribute> Attributes(Conversion c, string op, long hidden, int directions, string direction)
    {
        string[] usual = op switch { "LSTM" => ["sigmoid", "tanh", "tanh"], "GRU" => ["sigmoid", "tanh"], _ => ["tanh"] };
        var names = OpenVino.Attributes.Texts(c.Layer, "activations") is { Length: > 0 } given ? given : usual;
        if (names.Length != usual.Length) throw c.Layer.Malformed($"activations has not {usual.Length} names");
        string[] activations = [.. names.Select(name => name switch
        {
            "sigmoid" => "Sigmoid",
            "tanh" => "Tanh",
            "relu" => "Relu",
            _ => throw c.Layer.Refused($"with the activation {name}"),
        })];
        List<OnnxAttribute> attributes =
        [
            new("hidden_size", hidden), new("direction", direction),
            new("activations", [.. Enumerable.Repeat(activations, directions).SelectMany(all => all)]),
        ];
        var clip = c.Float("clip", 0);
        if (clip > 0 && double.IsFinite(clip)) attributes.Add(new("clip", (float)clip));
        return attributes;
    }
}
