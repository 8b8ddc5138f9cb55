using System.Buffers.Binary;

namespace Millrace.Inference.Tests.TensorFlowLite;

/// <summary>Writes a .tflite file's flatbuffer: tables and vectors, each behind what points to it.</summary>
sealed class FlatWriter
{
    readonly List<byte> _bytes = [];

    /// <summary>A whole file with this root.</summary>
    public static byte[] File(Func<FlatWriter, Func<int>> root)
    {
        var writer = new FlatWriter();
        writer.Int(0);
        writer._bytes.AddRange("TFL3"u8);
        writer.Point(0, root(writer));
        return [.. writer._bytes];
    }

    /// <summary>A number, or a part whose place is written when the table's is known.</summary>
    public readonly record struct Field(int Number, Func<int>? Write)
    {
        public static implicit operator Field(int number) => new(number, null);

        public static implicit operator Field(Func<int> write) => new(0, write);
    }

    public Func<int> Table(params (int Index, Field Value)[] fields) => () =>
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

    public Func<int> Vector(params int[] values) => () =>
    {
        Align();
        var at = _bytes.Count;
        Int(values.Length);
        foreach (var value in values) Int(value);
        return at;
    };

    public Func<int> Bytes(ReadOnlyMemory<byte> bytes) => () =>
    {
        Align();
        var at = _bytes.Count;
        Int(bytes.Length);
        _bytes.AddRange(bytes.Span);
        return at;
    };

    public Func<int> Text(string text) => () =>
    {
        Align();
        var at = _bytes.Count;
        Int(text.Length);
        foreach (var letter in text) _bytes.Add((byte)letter);
        _bytes.Add(0);
        return at;
    };

    public Func<int> Tables(params Func<int>[] tables) => () =>
    {
        Align();
        var at = _bytes.Count;
        Int(tables.Length);
        foreach (var _ in tables) Int(0);
        for (var i = 0; i < tables.Length; i++) Point(at + 4 + i * 4, tables[i]);
        return at;
    };

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
