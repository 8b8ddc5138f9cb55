using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;

namespace Millrace.Inference.Store;

/// <summary>
/// Reads the header of GGUF (versions 2 and 3, little-endian). Nothing that a file announces is taken at its word:
/// every length is held against the bytes that are left.
/// </summary>
sealed class GgufReader(Stream stream, string name)
{
    const uint Magic = 0x46554747; // "GGUF"
    const uint OldestVersion = 2;
    const uint NewestVersion = 3;

    // Templates are the longest texts, some tens of KiB.
    const int TextBytesMax = 8 << 20;
    const int KeyBytesMax = 64 << 10;
    const int KeptBytesMax = 32 << 20;
    const ulong EntriesMax = 1 << 16;
    const ulong TensorsMax = 1 << 20;
    const uint TensorTypeMax = 255;
    const int DepthMax = 4;
    const int DimensionsMax = 8;
    const int EntryBytesMin = 8 + 4 + 1;
    const int TensorBytesMin = 8 + 4 + 4 + 8;

    // Of the format's value types: 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 bool, 8 text, 9 array, 10 u64, 11 i64, 12 f64.
    const uint TextType = 8;
    const uint ArrayType = 9;
    static readonly int[] Widths = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

    // By ggml's numbers of its types; those that are empty are gone from the format.
    static readonly string[] TensorTypes =
    [
        "F32", "F16", "Q4_0", "Q4_1", "", "", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_K",
        "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64",
        "IQ1_M", "BF16", "", "", "", "TQ1_0", "TQ2_0", "", "", "", "MXFP4",
    ];

    readonly long _length = stream.Length;
    readonly byte[] _scratch = new byte[8];
    long _at;
    long _kept;
    bool _hasNorms;

    public GgufHeader Read()
    {
        if (_length == 0) throw Faulty("the file is empty");
        if (_length < 4 || UInt32() != Magic) throw Faulty("it does not begin with GGUF");
        var version = UInt32();
        if (BinaryPrimitives.ReverseEndianness(version) is >= 1 and <= NewestVersion)
            throw Faulty("it is written for big-endian machines");
        if (version is < OldestVersion or > NewestVersion)
            throw Faulty($"its format version is {version}; known are {OldestVersion} to {NewestVersion}");
        var (tensors, entries) = (UInt64(), UInt64());
        CheckCount(entries, EntryBytesMin, "entries");
        if (entries > EntriesMax) throw Faulty($"it announces {entries} entries; at most {EntriesMax} are taken");
        var values = ReadValues(entries);
        CheckCount(tensors, TensorBytesMin, "tensors");
        if (tensors > TensorsMax) throw Faulty($"it announces {tensors} tensors; at most {TensorsMax} are taken");
        return ReadTensors(version, values, (int)tensors);
    }

    ImmutableSortedDictionary<string, object> ReadValues(ulong entries)
    {
        var values = ImmutableSortedDictionary.CreateBuilder<string, object>(StringComparer.Ordinal);
        for (ulong i = 0; i < entries; i++)
        {
            var key = Text(KeyBytesMax);
            var value = Value(UInt32());
            if (!values.TryAdd(key, value)) throw Faulty($"the key '{key}' is there twice");
        }

        return values.ToImmutable();
    }

    GgufHeader ReadTensors(uint version, ImmutableSortedDictionary<string, object> values, int tensors)
    {
        var parameters = new SortedDictionary<uint, UInt128>();
        for (var i = 0; i < tensors; i++)
        {
            var isNorm = Text(KeyBytesMax).EndsWith("_norm.weight", StringComparison.Ordinal);
            _hasNorms |= isNorm;
            var dimensions = UInt32();
            if (dimensions > DimensionsMax) throw Faulty($"tensor {i} has {dimensions} dimensions");
            UInt128 elements = 1;
            for (var d = 0; d < dimensions; d++)
            {
                elements *= UInt64();
                if (elements > long.MaxValue) throw Faulty($"tensor {i} is larger than any file");
            }

            var type = UInt32();
            if (type > TensorTypeMax) throw Faulty($"tensor {i} is of type {type}; at most {TensorTypeMax} are taken");
            UInt64();
            parameters[type] = parameters.GetValueOrDefault(type) + elements;
        }

        // TensorsMax of less than 2^63 numbers each: no overflow above, but the sum may not fit.
        var sum = parameters.Values.Aggregate((UInt128)0, (a, b) => a + b);
        if (sum > long.MaxValue) throw Faulty("its tensors are larger than any file");
        var main = parameters.Count == 0 ? "" : TypeName(parameters.MaxBy(entry => entry.Value).Key);
        return new(version, values, (ulong)sum, main, tensors) { HasNorms = _hasNorms };
    }

    static string TypeName(uint type) =>
        type < TensorTypes.Length && TensorTypes[type].Length > 0 ? TensorTypes[type] : $"type {type}";

    object Value(uint type, int depth = 0)
    {
        switch (type)
        {
            case 0: return (ulong)Fixed(1)[0];
            case 1: return (long)(sbyte)Fixed(1)[0];
            case 2: return (ulong)BinaryPrimitives.ReadUInt16LittleEndian(Fixed(2));
            case 3: return (long)BinaryPrimitives.ReadInt16LittleEndian(Fixed(2));
            case 4: return (ulong)UInt32();
            case 5: return (long)BinaryPrimitives.ReadInt32LittleEndian(Fixed(4));
            case 6: return (double)BinaryPrimitives.ReadSingleLittleEndian(Fixed(4));
            case 7: return Fixed(1)[0] != 0;
            case TextType: return Text(TextBytesMax);
            case ArrayType: return Array(depth + 1);
            case 10: return UInt64();
            case 11: return BinaryPrimitives.ReadInt64LittleEndian(Fixed(8));
            case 12: return BinaryPrimitives.ReadDoubleLittleEndian(Fixed(8));
            default: throw Faulty($"there is no value type {type}");
        }
    }

    GgufArray Array(int depth)
    {
        if (depth > DepthMax) throw Faulty($"arrays are nested deeper than {DepthMax}");
        var (type, length) = (UInt32(), UInt64());
        if (type >= Widths.Length) throw Faulty($"there is no value type {type}");
        var width = Widths[type];
        CheckCount(length, width > 0 ? width : type == TextType ? 8 : 12, "elements");
        if (width > 0)
        {
            Skip(length * (ulong)width);
            return new(length);
        }

        for (ulong i = 0; i < length; i++)
        {
            if (type == TextType) SkipText();
            else Array(depth + 1);
        }

        return new(length);
    }

    string Text(int bytesMax)
    {
        var length = UInt64();
        if (length > (ulong)bytesMax) throw Faulty($"a text of {length} bytes; at most {bytesMax} are taken");
        CheckLeft(length);
        if ((_kept += (long)length) > KeptBytesMax) throw Faulty($"its texts have more than {KeptBytesMax} bytes");
        var bytes = new byte[length];
        Fill(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    void SkipText() => Skip(UInt64());

    void Skip(ulong bytes)
    {
        CheckLeft(bytes);
        stream.Seek((long)bytes, SeekOrigin.Current);
        _at += (long)bytes;
    }

    uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Fixed(4));

    ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Fixed(8));

    ReadOnlySpan<byte> Fixed(int bytes)
    {
        CheckLeft((ulong)bytes);
        Fill(_scratch.AsSpan(0, bytes));
        return _scratch.AsSpan(0, bytes);
    }

    void Fill(Span<byte> target)
    {
        if (stream.ReadAtLeast(target, target.Length, throwOnEndOfStream: false) < target.Length) throw Faulty("it ends here");
        _at += target.Length;
    }

    void CheckLeft(ulong bytes)
    {
        if (bytes > (ulong)(_length - _at)) throw Faulty("it ends before its header does");
    }

    void CheckCount(ulong count, int bytesMin, string what)
    {
        if (count > (ulong)(_length - _at) / (ulong)bytesMin)
            throw Faulty($"it announces {count} {what}, more than the file has room for");
    }

    InferenceException Faulty(string what) => new("invalid", $"{name} is not a usable GGUF model: {what} (byte {_at})");
}
