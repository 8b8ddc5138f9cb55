using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Format;

/// <summary>Reads a .tflite file into records; what does not fit together is refused here.</summary>
sealed class ModelReader(byte[] bytes)
{
    const int CustomCode = 32;

    readonly FlatBuffer _buffer = new(bytes);
    FlatTable[] _buffers = [];
    FlatTable[] _codes = [];

    public LiteModel Read()
    {
        if (bytes.Length < 8 || !bytes.AsSpan(4, 4).SequenceEqual("TFL3"u8))
            throw new NnException(NnErrno.InvalidEncoding, "the model is not a TensorFlow Lite flatbuffer (the mark TFL3 is missing)");
        var root = _buffer.Root();
        if (root.Int(0) != 3)
            throw new NnException(NnErrno.InvalidEncoding, $"schema version {root.Int(0)} of TensorFlow Lite is not known, only 3");
        _codes = root.Tables(1);
        _buffers = root.Tables(4);
        var subgraphs = root.Tables(2).Select(ReadSubgraph).ToArray();
        if (subgraphs.Length == 0) throw Wrong("has no subgraph");
        return new LiteModel(subgraphs);
    }

    Subgraph ReadSubgraph(FlatTable table)
    {
        var tensors = table.Tables(0).Select(ReadTensor).ToArray();
        var inputs = Checked(table.Ints(1), tensors.Length, 0);
        var outputs = Checked(table.Ints(2), tensors.Length, 0);
        var operators = table.Tables(3).Select(op => ReadOperator(op, tensors)).ToArray();
        return new Subgraph(table.Text(4), tensors, inputs, outputs, operators);
    }

    OperatorSpec ReadOperator(FlatTable table, TensorSpec[] tensors)
    {
        var index = table.Int(0);
        if (index < 0 || index >= _codes.Length) throw Wrong($"has an operator of code {index} and only {_codes.Length} codes");
        var code = _codes[index];
        // Codes beyond 127 came later, in a wider field; older readers find 127 in the first.
        var number = Math.Max(code.Byte(0), code.Int(3));
        var name = number == CustomCode ? "CUSTOM:" + code.Text(1) : OperatorNames.Of(number);
        var (start, count) = table.Vector(5, 1);
        return new OperatorSpec(
            number, name, code.Int(2, 1), Checked(table.Ints(1), tensors.Length, -1), Checked(table.Ints(2), tensors.Length, -1),
            Checked(table.Ints(8), tensors.Length, -1), table.Table(4), new ArraySegment<byte>(bytes, start, count));
    }

    TensorSpec ReadTensor(FlatTable table)
    {
        var name = table.Text(3);
        var type = (LiteType)table.Byte(1);
        var shape = table.Ints(0);
        var signature = table.Has(7) ? table.Ints(7) : shape;
        if (signature.Length != shape.Length) signature = shape;
        if (shape.Any(static size => size < -1)) throw Wrong($"gives the tensor {name} a negative size");
        if (table.Has(6)) throw new NnException(NnErrno.UnsupportedOperation, $"the tensor {name} is sparse, which is not supported");
        var constant = ReadBuffer(table.Int(2), name);
        if (constant.Array is not null && type != LiteType.Text) CheckLength(name, type, shape, constant.Count);
        return new TensorSpec(name, type, shape, signature, constant, ReadQuantization(table.Table(4), name, shape), table.Bool(5));
    }

    ArraySegment<byte> ReadBuffer(int index, string name)
    {
        if (index == 0) return default;
        if (index < 0 || index >= _buffers.Length) throw Wrong($"gives the tensor {name} the buffer {index} of {_buffers.Length}");
        var (start, count) = _buffers[index].Vector(0, 1);
        if (count > 0) return new ArraySegment<byte>(bytes, start, count);
        // Weights beyond two gigabytes lie behind the flatbuffer.
        var (offset, size) = (_buffers[index].Long(1), _buffers[index].Long(2));
        if (size == 0 || offset <= 1) return default;
        if (offset < 0 || size < 0 || offset > bytes.Length - size) throw Wrong($"places the buffer of {name} behind its end");
        return new ArraySegment<byte>(bytes, (int)offset, (int)size);
    }

    static void CheckLength(string name, LiteType type, int[] shape, int bytes)
    {
        long wanted = type == LiteType.Int4 ? 1 : ElementTypes.Bytes(type);
        foreach (var size in shape)
        {
            wanted *= Math.Max(size, 0);
            if (wanted > int.MaxValue) throw Wrong($"gives the tensor {name} more elements than can be held");
        }

        if (type == LiteType.Int4) wanted = (wanted + 1) / 2;
        if (wanted != bytes) throw Wrong($"gives the tensor {name} {bytes} bytes instead of {wanted}");
    }

    static Quantization? ReadQuantization(FlatTable table, string name, int[] shape)
    {
        if (!table.IsPresent) return null;
        var scales = table.Singles(2);
        if (scales.Length == 0) return null;
        var zeroPoints = table.Longs(3);
        if (zeroPoints.Length == 0) zeroPoints = [0];
        if (zeroPoints.Length != 1 && zeroPoints.Length != scales.Length)
            throw Wrong($"quantizes the tensor {name} with unequal numbers of scales and zero points");
        if (zeroPoints.Any(static zero => zero is < int.MinValue or > int.MaxValue))
            throw Wrong($"has a zero point out of range in {name}");
        var axis = table.Int(6);
        if (scales.Length > 1 && (axis < 0 || axis >= shape.Length || shape[axis] != scales.Length))
            throw Wrong($"quantizes the tensor {name} by {scales.Length} scales along an axis of another size");
        var zeros = new int[scales.Length];
        for (var i = 0; i < zeros.Length; i++) zeros[i] = (int)zeroPoints[zeroPoints.Length == 1 ? 0 : i];
        return new Quantization(scales, zeros, axis);
    }

    static int[] Checked(int[] indices, int count, int from)
    {
        foreach (var index in indices)
        {
            if (index < from || index >= count) throw Wrong($"refers to tensor {index} of {count}");
        }

        return indices;
    }

    static NnException Wrong(string what) => new(NnErrno.InvalidEncoding, $"the TensorFlow Lite model {what}");
}
