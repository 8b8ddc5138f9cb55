using System.Buffers.Binary;
using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>
/// <c>TensorProto</c>: all elements as bytes, or a list of a typed field. A shorter list repeats its last element, an empty
/// one stands for zeros.
/// </summary>
sealed class ConstantReader
{
    const string What = "a constant of the GraphDef";

    // A few bytes may stand for this much and no more, in all of a graph.
    const int SpreadBytesMax = 1 << 28;

    long _spread;

    /// <summary>Reads the tensor of a node.</summary>
    /// <exception cref="NnException">It is damaged, or of a type that is not computed here.</exception>
    public Tensor Read(ReadOnlyMemory<byte> bytes, string node)
    {
        var (type, shape, content) = (0L, ImmutableArray<long>.Empty, ReadOnlyMemory<byte>.Empty);
        var reader = new ProtoReader(bytes, What);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: type = reader.Number; break;
                case 2: shape = GraphDefReader.ReadShape(reader.Message); break;
                case 4: content = reader.Bytes; break;
                default: break;
            }
        }

        var elements = ElementTypes.Find(type) ?? throw new NnException(NnErrno.UnsupportedOperation,
            $"operator Const at node \"{node}\": its type {ElementTypes.Name(type)} is not supported");
        if (shape.IsDefault || shape.Contains(-1)) throw Damaged(node, "leaves its sizes open");
        var count = Tensor.Count(shape);
        var size = Tensor.Bytes(elements);
        if (count > Array.MaxLength / size) throw new NnException(NnErrno.TooLarge, $"the constant \"{node}\" is too large");
        if (content.Length == count * size) return new(elements, shape, content);
        if (!content.IsEmpty)
            throw Damaged(node, $"holds {content.Length} bytes, its sizes [{string.Join(", ", shape)}] want {count * size}");
        return new(elements, shape, Spread(ReadList(bytes, elements), count, size, node));
    }

    byte[] Spread(List<byte> listed, int count, int size, string node)
    {
        if (listed.Count > (long)count * size)
            throw Damaged(node, $"lists {listed.Count / size} elements, its sizes want {count}");
        _spread += (long)count * size - listed.Count;
        if (_spread > SpreadBytesMax)
        {
            throw new NnException(NnErrno.TooLarge,
                $"the constant \"{node}\" repeats an element: with those before it that is more than {SpreadBytesMax >> 20} MiB");
        }

        var spread = new byte[count * size];
        listed.CopyTo(spread);
        if (listed.Count == 0) return spread;
        var last = spread.AsSpan(listed.Count - size, size);
        for (var at = listed.Count; at < spread.Length; at += size) last.CopyTo(spread.AsSpan(at));
        return spread;
    }

    // The field of a type, by TensorProto. Narrow whole numbers share one; halves are there as their 16 bits.
    static int FieldOf(TensorType type) => type switch
    {
        TensorType.F32 => 5,
        TensorType.F64 => 6,
        TensorType.I64 => 10,
        TensorType.Bool => 11,
        TensorType.F16 => 13,
        TensorType.U32 => 16,
        TensorType.U64 => 17,
        _ => 7,
    };

    static List<byte> ReadList(ReadOnlyMemory<byte> bytes, TensorType type)
    {
        var (listed, field, size) = (new List<byte>(), FieldOf(type), Tensor.Bytes(type));
        Span<byte> element = stackalloc byte[8];
        var reader = new ProtoReader(bytes, What);
        var (numbers, singles, doubles) = (new List<long>(), new List<float>(), new List<double>());
        while (reader.Next())
        {
            if (reader.Field != field) continue;
            if (type == TensorType.F32) reader.Singles(singles);
            else if (type == TensorType.F64) reader.Doubles(doubles);
            else reader.Numbers(numbers);
        }

        foreach (var single in singles) numbers.Add(BitConverter.SingleToInt32Bits(single));
        foreach (var number in doubles) numbers.Add(BitConverter.DoubleToInt64Bits(number));
        foreach (var number in numbers)
        {
            BinaryPrimitives.WriteInt64LittleEndian(element, type == TensorType.Bool && number != 0 ? 1 : number);
            listed.AddRange(element[..size]);
        }

        return listed;
    }

    static NnException Damaged(string node, string why) =>
        new(NnErrno.InvalidEncoding, $"the GraphDef is damaged: the constant \"{node}\" {why}");
}
