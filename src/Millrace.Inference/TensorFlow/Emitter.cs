using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>
/// Writes ONNX nodes and keeps what is known of their results: types always, sizes where they follow, elements where sizes
/// are computed from what is known. Operators are composed of these.
/// </summary>
sealed class Emitter(OnnxGraphBuilder graph)
{
    // Constants belong to the whole graph, whichever body asks for them first.
    readonly OnnxGraphBuilder _root = graph;

    /// <summary>Where nodes go: the graph, or a body of it.</summary>
    public OnnxGraphBuilder Graph { get; set; } = graph;

    /// <summary>Reads the graph's own constants.</summary>
    public ConstantReader Constants { get; } = new();

    /// <summary>A node with one result.</summary>
    public Value Node(
        string op, ReadOnlySpan<Value?> inputs, TensorType type, ImmutableArray<long> shape,
        params ReadOnlySpan<OnnxAttribute> attributes) =>
        new(Graph.AddNode(op, Names(inputs), attributes), type, shape);

    /// <summary>A node with results of one type.</summary>
    public Value[] Nodes(
        string op, ReadOnlySpan<Value?> inputs, TensorType type, ImmutableArray<long>[] shapes,
        params ReadOnlySpan<OnnxAttribute> attributes)
    {
        var names = Graph.AddNodes(op, Names(inputs), shapes.Length, attributes);
        return [.. names.Select((name, i) => new Value(name, type, shapes[i]))];
    }

    /// <summary>A constant.</summary>
    public Value Constant(Tensor tensor) => new(tensor, constant => _root.AddConstant(constant));

    /// <summary>A constant of whole numbers.</summary>
    public Value Whole(ImmutableArray<long> shape, ReadOnlySpan<long> numbers, TensorType type = TensorType.I64) =>
        Constant(Numbers.Tensor(type, shape, numbers));

    /// <summary>A list of whole numbers: sizes, axes, indices.</summary>
    public Value Row(params ReadOnlySpan<long> numbers) => Whole([numbers.Length], numbers);

    /// <summary>One number, of any type.</summary>
    public Value Scalar(double number, TensorType type) => Constant(Numbers.Tensor(type, [], number));

    /// <summary>Converts elements.</summary>
    public Value Cast(Value x, TensorType type)
    {
        if (x.Type == type) return x;
        if (x.IsKnown && type.IsWhole()) return Whole(x.Shape, [.. x.Known.Select(n => type == TensorType.Bool && n != 0 ? 1 : n)], type);
        var cast = Node("Cast", [x], type, x.Shape, new OnnxAttribute("to", (long)type.ToOnnx()));
        return type.IsWhole() && type != TensorType.Bool ? new(cast.Name, type, x.Shape) { Partly = x.Partly } : cast;
    }

    /// <summary>Whole numbers as ONNX wants sizes and axes.</summary>
    public Value Longs(Value x) => Cast(x, TensorType.I64);

    /// <summary>A node that leaves the shape as it is.</summary>
    public Value Map(string op, Value x, params ReadOnlySpan<OnnxAttribute> attributes) => Node(op, [x], x.Type, x.Shape, attributes);

    /// <summary>A node on pairs of elements, whose shapes are broadcast.</summary>
    public Value Pairs(string op, Value x, Value y, TensorType? type = null)
    {
        if (Folding.Pairs(op, x, y) is { } known) return Whole(known.Shape, known.Numbers, type ?? x.Type);
        return Node(op, [x, y], type ?? x.Type, Broadcast(x.Shape, y.Shape));
    }

    /// <summary>Sum.</summary>
    public Value Add(Value x, Value y) => Pairs("Add", x, y);

    /// <summary>Difference.</summary>
    public Value Sub(Value x, Value y) => Pairs("Sub", x, y);

    /// <summary>Product.</summary>
    public Value Mul(Value x, Value y) => Pairs("Mul", x, y);

    /// <summary>Quotient; of whole numbers the truncated one.</summary>
    public Value Div(Value x, Value y) => Pairs("Div", x, y);

    /// <summary>The smaller.</summary>
    public Value Min(Value x, Value y) => Pairs("Min", x, y);

    /// <summary>The larger.</summary>
    public Value Max(Value x, Value y) => Pairs("Max", x, y);

    /// <summary>Whether two are equal, less, greater.</summary>
    public Value Compare(string op, Value x, Value y) => Pairs(op, x, y, TensorType.Bool);

    /// <summary>Elements of the one or the other; all three are broadcast.</summary>
    public Value Where(Value condition, Value yes, Value no)
    {
        if (condition.IsKnown && yes.IsKnown && no.IsKnown && yes.Shape.SequenceEqual(condition.Shape) && no.Shape.SequenceEqual(yes.Shape))
            return Whole(yes.Shape, [.. condition.Known.Select((pick, i) => pick != 0 ? yes.Known[i] : no.Known[i])], yes.Type);
        // The engine has no code for the others.
        var wide = yes.Type switch
        {
            TensorType.Bool => TensorType.U8,
            TensorType.I8 or TensorType.I16 or TensorType.U16 => TensorType.I32,
            TensorType.U32 or TensorType.U64 => TensorType.I64,
            var type => type,
        };
        if (wide != yes.Type) return Cast(Where(condition, Cast(yes, wide), Cast(no, wide)), yes.Type);
        return Node("Where", [condition, yes, no], yes.Type, Broadcast(condition.Shape, Broadcast(yes.Shape, no.Shape)));
    }

    /// <summary>What two shapes become; default where a rank is open.</summary>
    public static ImmutableArray<long> Broadcast(ImmutableArray<long> x, ImmutableArray<long> y)
    {
        if (x.IsDefault || y.IsDefault) return default;
        var shape = new long[Math.Max(x.Length, y.Length)];
        for (var i = 1; i <= shape.Length; i++)
        {
            var (a, b) = (i <= x.Length ? x[^i] : 1, i <= y.Length ? y[^i] : 1);
            // Of an open size and one above 1, the latter holds.
            shape[^i] = a == 1 ? b : b == 1 ? a : Math.Max(a, b);
        }

        return [.. shape];
    }

    static string[] Names(ReadOnlySpan<Value?> inputs)
    {
        var names = new string[inputs.Length];
        for (var i = 0; i < names.Length; i++) names[i] = inputs[i]?.Name ?? "";
        return names;
    }
}
