using System.Collections.Immutable;
using Millrace.Inference.Onnx;

namespace Millrace.Inference.TensorFlow;

/// <summary><c>AttrValue</c>. It is read when it is asked for: what no operator asks for may be anything.</summary>
sealed class AttributeDef(ReadOnlyMemory<byte> bytes)
{
    const string What = "an attribute of the GraphDef";

    /// <summary>A whole number; protobuf leaves zeros out.</summary>
    public long Int => Last(3, 0L, static at => at.Number);

    /// <summary>A number.</summary>
    public float Float => Last(4, 0f, static at => at.Single);

    /// <summary>Yes or no.</summary>
    public bool Bool => Last(5, false, static at => at.Number != 0);

    /// <summary>A text.</summary>
    public string Text => Last(2, "", static at => at.Text);

    /// <summary>A number of <c>types.proto</c>.</summary>
    public long Type => Last(6, 0L, static at => at.Number);

    /// <summary>Sizes: -1 where one is open, default where their number is.</summary>
    public ImmutableArray<long> Shape => Last(7, default(ImmutableArray<long>), static at => GraphDefReader.ReadShape(at.Message));

    /// <summary><c>TensorProto</c>; null where there is none.</summary>
    public ReadOnlyMemory<byte>? Tensor => Last(8, default(ReadOnlyMemory<byte>?), static at => at.Bytes);

    /// <summary>The name of a function.</summary>
    public string Function => Last(10, "", static at =>
    {
        var name = "";
        var function = at.Message;
        while (function.Next())
        {
            if (function.Field == 1) name = function.Text;
        }

        return name;
    });

    /// <summary>Whole numbers.</summary>
    public ImmutableArray<long> Ints => List(3);

    delegate T Read<out T>(ProtoReader at);

    T Last<T>(int field, T absent, Read<T> read)
    {
        var value = absent;
        var reader = new ProtoReader(bytes, What);
        while (reader.Next())
        {
            if (reader.Field == field) value = read(reader);
        }

        return value;
    }

    ImmutableArray<long> List(int field)
    {
        var values = new List<long>();
        var reader = new ProtoReader(bytes, What);
        while (reader.Next())
        {
            if (reader.Field != 1) continue;
            var list = reader.Message;
            while (list.Next())
            {
                if (list.Field == field) list.Numbers(values);
            }
        }

        return [.. values];
    }
}
