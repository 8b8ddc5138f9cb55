using System.Text;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Format;

/// <summary>The options of a custom operator: a flexbuffer whose root is a map of numbers.</summary>
sealed class FlexMap
{
    const int Int = 1;
    const int UInt = 2;
    const int Real = 3;
    const int Map = 9;
    const int Bool = 26;

    readonly Dictionary<string, double> _values = [];

    public FlexMap(ReadOnlySpan<byte> bytes)
    {
        try
        {
            Read(bytes);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentException)
        {
            throw Damaged();
        }
    }

    public double? Of(string name) => _values.TryGetValue(name, out var value) ? value : null;

    void Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 3) throw Damaged();
        var (rootWidth, rootType) = (bytes[^1], bytes[^2]);
        if (rootType >> 2 != Map) throw Damaged();
        var root = bytes.Length - 2 - rootWidth;
        var map = root - (int)Unsigned(bytes, root, rootWidth);
        var width = 1 << (rootType & 3);
        var count = (int)Math.Min(Unsigned(bytes, map - width, width), (ulong)bytes.Length);
        var keys = map - 3 * width - (int)Unsigned(bytes, map - 3 * width, width);
        var keyWidth = (int)Unsigned(bytes, map - 2 * width, width);
        for (var i = 0; i < count; i++)
        {
            var key = keys + i * keyWidth;
            var name = bytes[(key - (int)Unsigned(bytes, key, keyWidth))..];
            var end = name.IndexOf((byte)0);
            if (end < 0) throw Damaged();
            // Names are short; a damaged buffer could point every key at one long text.
            if (end > 256) throw Damaged();
            var type = bytes[map + count * width + i];
            if (Value(bytes, map + i * width, width, type) is { } value) _values[Encoding.UTF8.GetString(name[..end])] = value;
        }
    }

    static double? Value(ReadOnlySpan<byte> bytes, int at, int width, byte type) => (type >> 2) switch
    {
        Int => Signed(bytes, at, width),
        UInt or Bool => Unsigned(bytes, at, width),
        Real => Single(bytes, at, width),
        Int + 5 => Signed(bytes, at - (int)Unsigned(bytes, at, width), 1 << (type & 3)),
        UInt + 5 => Unsigned(bytes, at - (int)Unsigned(bytes, at, width), 1 << (type & 3)),
        Real + 5 => Single(bytes, at - (int)Unsigned(bytes, at, width), 1 << (type & 3)),
        _ => null,
    };

    static ulong Unsigned(ReadOnlySpan<byte> bytes, int at, int width) => width switch
    {
        1 => bytes[at],
        2 => BitConverter.ToUInt16(bytes.Slice(at, 2)),
        4 => BitConverter.ToUInt32(bytes.Slice(at, 4)),
        8 => BitConverter.ToUInt64(bytes.Slice(at, 8)),
        _ => throw Damaged(),
    };

    static long Signed(ReadOnlySpan<byte> bytes, int at, int width)
    {
        var shift = 64 - width * 8;
        return (long)(Unsigned(bytes, at, width) << shift) >> shift;
    }

    static double Single(ReadOnlySpan<byte> bytes, int at, int width) => width switch
    {
        4 => BitConverter.ToSingle(bytes.Slice(at, 4)),
        8 => BitConverter.ToDouble(bytes.Slice(at, 8)),
        _ => throw Damaged(),
    };

    static NnException Damaged() => new(NnErrno.InvalidEncoding, "the options of a custom operator are damaged");
}
