using Millrace.Inference.Onnx;

namespace Millrace.Inference.Tests.TensorFlow;

/// <summary>A small GraphDef, written node by node.</summary>
sealed class GraphFile
{
    public const int Float = 1;
    public const int Int32 = 3;

    readonly ProtoMessage _graph = new();

    public byte[] Bytes => _graph.ToArray();

    /// <summary>A placeholder of floats; -1 for an open size.</summary>
    public GraphFile Input(string name, int type, params long[] sizes) =>
        Node(name, "Placeholder", [], ("dtype", Type(type)), ("shape", new ProtoMessage().Message(7, Shape(sizes))));

    public GraphFile Ints(string name, params long[] numbers)
    {
        var tensor = new ProtoMessage().Number(1, Int32).Message(2, Shape(numbers.Length)).Numbers(7, numbers);
        return Node(name, "Const", [], ("dtype", Type(Int32)), ("value", new ProtoMessage().Message(8, tensor)));
    }

    /// <summary>A constant whose elements are not in the file.</summary>
    public GraphFile Zeros(string name, long count)
    {
        var tensor = new ProtoMessage().Number(1, Int32).Message(2, Shape(count));
        return Node(name, "Const", [], ("dtype", Type(Int32)), ("value", new ProtoMessage().Message(8, tensor)));
    }

    public GraphFile Node(string name, string op, string[] inputs, params (string Name, ProtoMessage Value)[] attributes)
    {
        _graph.Message(1, NodeDef(name, op, inputs, attributes));
        return this;
    }

    /// <summary>A function of one argument that only calls: what it calls is what it gives.</summary>
    public GraphFile Function(string name, string calls)
    {
        var signature = new ProtoMessage().Text(1, name).Message(2, new ProtoMessage().Text(1, "x")).Message(3, new ProtoMessage().Text(1, "y"));
        var function = new ProtoMessage().Message(1, signature)
            .Message(3, NodeDef("call", "PartitionedCall", ["x"], [("f", Call(calls))]))
            .Message(4, new ProtoMessage().Text(1, "y").Text(2, "call:output:0"));
        _graph.Message(2, new ProtoMessage().Message(1, function));
        return this;
    }

    public static ProtoMessage Type(int type) => new ProtoMessage().Number(6, type);

    public static ProtoMessage Call(string function) => new ProtoMessage().Message(10, new ProtoMessage().Text(1, function));

    static ProtoMessage NodeDef(string name, string op, string[] inputs, (string Name, ProtoMessage Value)[] attributes)
    {
        var node = new ProtoMessage().Text(1, name).Text(2, op);
        foreach (var input in inputs) node.Text(3, input);
        foreach (var (key, value) in attributes) node.Message(5, new ProtoMessage().Text(1, key).Message(2, value));
        return node;
    }

    static ProtoMessage Shape(params ReadOnlySpan<long> sizes)
    {
        var shape = new ProtoMessage();
        foreach (var size in sizes) shape.Message(2, new ProtoMessage().Number(1, size));
        return shape;
    }
}
