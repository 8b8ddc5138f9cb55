using System.Collections.Immutable;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Compilation;
using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm.Ahead;

/// <summary>How a number that an engine gives to a type enters code.</summary>
enum LinkedKind : byte
{
    /// <summary>The number itself.</summary>
    Id,
    /// <summary>With the type's depth, as casts take it (<see cref="Casts.Key"/>).</summary>
    Key,
    /// <summary>The same where null passes too.</summary>
    NullableKey,
}

/// <summary>
/// A number that only the engine which loads an image knows. The image reads it from a cell of the instance.
/// </summary>
/// <param name="TypeIndex">The type, in the module's indices.</param>
/// <param name="Kind">What of it.</param>
readonly record struct LinkedNumber(int TypeIndex, LinkedKind Kind)
{
    public long In(LinkedTypes types) => Kind == LinkedKind.Id
        ? types.IdOf(TypeIndex)
        : Casts.Key(types.IdOf(TypeIndex), types.DepthOf(TypeIndex), Kind == LinkedKind.NullableKey);
}

/// <summary>
/// What has to be known of a module to use its image without validating and compiling it again. Stands behind the
/// image in its file.
/// </summary>
sealed record ImageLinks
{
    /// <summary>What the module uses; found by reading all its code.</summary>
    public required WasmFeatures Features { get; init; }

    /// <summary>Types with slots, in their order (<see cref="LinkedTypes.SlotOf"/>).</summary>
    public required ImmutableArray<int> Slots { get; init; }

    /// <summary>The numbers that the code reads from the cells behind those of globals.</summary>
    public required ImmutableArray<LinkedNumber> Numbers { get; init; }

    /// <summary>Function types whose two crossings stand behind the module's functions.</summary>
    public required ImmutableArray<int> Crossings { get; init; }

    /// <summary>Methods that crossgen2 left to the JIT.</summary>
    public int Remaining { get; init; }

    public void Write(BinaryWriter writer)
    {
        writer.Write((int)Features);
        writer.Write(Remaining);
        Write(writer, Slots);
        Write(writer, Crossings);
        writer.Write(Numbers.Length);
        foreach (var number in Numbers)
        {
            writer.Write(number.TypeIndex);
            writer.Write((byte)number.Kind);
        }
    }

    /// <exception cref="EndOfStreamException">There is less than that.</exception>
    public static ImageLinks Read(BinaryReader reader)
    {
        var (features, remaining) = ((WasmFeatures)reader.ReadInt32(), reader.ReadInt32());
        var (slots, crossings) = (ReadIndexes(reader), ReadIndexes(reader));
        var numbers = new LinkedNumber[Count(reader)];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = new(reader.ReadInt32(), (LinkedKind)reader.ReadByte());
        return new()
        {
            Features = features,
            Remaining = remaining,
            Slots = slots,
            Crossings = crossings,
            Numbers = Arrays<LinkedNumber>.Immutable(numbers),
        };
    }

    static void Write(BinaryWriter writer, ImmutableArray<int> indexes)
    {
        writer.Write(indexes.Length);
        foreach (var index in indexes) writer.Write(index);
    }

    static ImmutableArray<int> ReadIndexes(BinaryReader reader)
    {
        var indexes = new int[Count(reader)];
        for (var i = 0; i < indexes.Length; i++) indexes[i] = reader.ReadInt32();
        return Arrays<int>.Immutable(indexes);
    }

    // Each takes a byte or more.
    static int Count(BinaryReader reader)
    {
        var count = reader.ReadInt32();
        var left = reader.BaseStream.Length - reader.BaseStream.Position;
        return count >= 0 && count <= left ? count : throw new EndOfStreamException();
    }
}
