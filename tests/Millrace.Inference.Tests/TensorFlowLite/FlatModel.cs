using System.Buffers.Binary;

namespace Millrace.Inference.Tests.TensorFlowLite;

/// <summary>The smallest .tflite file: one operator from two reals to two reals.</summary>
sealed class FlatModel
{
    readonly List<byte> _bytes = [];

    public static byte[] WithOperator(int code, int version)
    {
        var model = new FlatModel();
        var root = model.Reserve();
        model._bytes.AddRange("TFL3"u8);
        model.Point(root, model.Table(
            (0, 3),
            (1, model.Tables(_ => model.Table((2, version), (3, code)))),
            (2, model.Tables(_ => model.Table(
                (0, model.Tables(_ => model.Tensor("x"), _ => model.Tensor("y"))),
                (1, model.Vector(0)),
                (2, model.Vector(1)),
                (3, model.Tables(_ => model.Table((1, model.Vector(0)), (2, model.Vector(1)))))))),
            (4, model.Tables(_ => model.Table()))));
        return [.. model._bytes];
    }

    /// <summary>A number, or a part whose place is written when the table's is known.</summary>
    readonly record struct Field(int Number, Func<int>? Write)
    {
        public static implicit operator Field(int number) => new(number, null);

        public static implicit operator Field(Func<int> write) => new(0, write);
    }

    Func<int> Table(params (int Index, Field Value)[] fields) => () =>
    {
        var slots = fields.Length == 0 ? 0 : fields.Max(static field => field.Index) + 1;
        var vtable = _bytes.Count;
        Short(4 + slots * 2);
        Short(4 + fields.Length * 4);
        for (var i = 0; i < slots; i++)
        {
            var at = Array.FindIndex(fields, field => field.Index == i);
            Short(at < 0 ? 0 : 4 + at * 4);
        }

        Align();
        var table = _bytes.Count;
        Int(table - vtable);
        foreach (var (_, value) in fields) Int(value.Number);
        for (var i = 0; i < fields.Length; i++)
        {
            if (fields[i].Value.Write is { } write) Point(table + 4 + i * 4, write);
        }

        return table;
    };

    Func<int> Tensor(string name) => Table((0, Vector(2)), (3, Text(name)));

    Func<int> Vector(params int[] values) => () =>
    {
        Align();
        var at = _bytes.Count;
        Int(values.Length);
        foreach (var value in values) Int(value);
        return at;
    };

    Func<int> Text(string text) => () =>
    {
        Align();
        var at = _bytes.Count;
        Int(text.Length);
        foreach (var letter in text) _bytes.Add((byte)letter);
        _bytes.Add(0);
        return at;
    };

    Func<int> Tables(params Func<int, Func<int>>[] tables) => () =>
    {
        Align();
        var at = _bytes.Count;
        Int(tables.Length);
        foreach (var _ in tables) Int(0);
        for (var i = 0; i < tables.Length; i++) Point(at + 4 + i * 4, tables[i](i));
        return at;
    };

    int Reserve()
    {
        Int(0);
        return _bytes.Count - 4;
    }

    void Point(int from, Func<int> write)
    {
        Align();
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, write() - from);
        for (var i = 0; i < 4; i++) _bytes[from + i] = bytes[i];
    }

    void Align()
    {
        while (_bytes.Count % 4 != 0) _bytes.Add(0);
    }

    void Short(int value)
    {
        _bytes.Add((byte)value);
        _bytes.Add((byte)(value >> 8));
    }

    void Int(int value)
    {
        Short(value);
        Short(value >> 16);
    }
}
