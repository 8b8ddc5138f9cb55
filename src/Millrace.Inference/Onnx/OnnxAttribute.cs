using Millrace.Nn;

namespace Millrace.Inference.Onnx;

/// <summary>An attribute of a node: <c>new("axis", 1)</c>.</summary>
sealed class OnnxAttribute
{
    readonly ProtoMessage _message = new();

    /// <summary>A whole number.</summary>
    public OnnxAttribute(string name, long value) => Begin(name, type: 2).Number(3, value);

    /// <summary>A number.</summary>
    public OnnxAttribute(string name, float value) => Begin(name, type: 1).Single(2, value);

    /// <summary>A text.</summary>
    public OnnxAttribute(string name, string value) => Begin(name, type: 3).Text(4, value);

    /// <summary>Whole numbers.</summary>
    public OnnxAttribute(string name, params ReadOnlySpan<long> values) => Begin(name, type: 7).Numbers(8, values);

    /// <summary>Numbers.</summary>
    public OnnxAttribute(string name, params ReadOnlySpan<float> values) => Begin(name, type: 6).Singles(7, values);

    /// <summary>Texts.</summary>
    public OnnxAttribute(string name, params ReadOnlySpan<string> values)
    {
        Begin(name, type: 8);
        foreach (var value in values) _message.Text(9, value);
    }

    /// <summary>A tensor.</summary>
    public OnnxAttribute(string name, Tensor value) => Begin(name, type: 4).Message(5, OnnxGraphBuilder.TensorProto("", value));

    /// <summary>A body, from <see cref="OnnxGraphBuilder.Body"/>. It must be complete.</summary>
    public OnnxAttribute(string name, OnnxGraphBuilder body) => Begin(name, type: 5).Message(6, body.GraphProto(name));

    /// <summary><c>AttributeProto</c></summary>
    public ProtoMessage Message => _message;

    ProtoMessage Begin(string name, int type) => _message.Text(1, name).Number(20, type);
}
