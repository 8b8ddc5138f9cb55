using System.Globalization;
using System.Numerics;

namespace Millrace.Wasm.Ahead;

/// <summary>
/// A number of 256 bits for some bytes. It finds damage and gives names; it withstands nobody who looks for equal ones:
/// whoever relies on what it names compares the bytes. SHA-256 would take a fresh process as long to load as all else.
/// </summary>
/// <remarks>Each step is reversible, so that two inputs that differ in one word never have the same number.</remarks>
unsafe struct Fingerprint
{
    const ulong Odd = 0x9E37_79B9_7F4A_7C15; // the golden ratio's fraction
    const int BlockBytes = 4 * sizeof(ulong);

    ulong _first;
    ulong _second;
    ulong _third;
    ulong _fourth;

    /// <summary>Adds bytes, and how many they are.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        var blocks = bytes.Length / BlockBytes;
        fixed (byte* start = bytes) AddBlocks((ulong*)start, blocks);
        var rest = bytes[(blocks * BlockBytes)..];
        var last = stackalloc ulong[4] { 0, 0, 0, 0 };
        for (var i = 0; i < rest.Length; i++) ((byte*)last)[i] = rest[i];
        AddBlocks(last, 1);
        _first = Step(_first, (ulong)bytes.Length);
    }

    public readonly bool Equals(in Fingerprint other) => _first == other._first && _second == other._second
        && _third == other._third && _fourth == other._fourth;

    /// <summary>As 64 hexadecimal digits.</summary>
    public readonly override string ToString() => string.Concat(
        Hex(_first ^ _fourth), Hex(_second ^ _first), Hex(_third ^ _second), Hex(_fourth));

    public readonly void Write(BinaryWriter writer)
    {
        writer.Write(_first);
        writer.Write(_second);
        writer.Write(_third);
        writer.Write(_fourth);
    }

    public static Fingerprint Read(BinaryReader reader) => new()
    {
        _first = reader.ReadUInt64(),
        _second = reader.ReadUInt64(),
        _third = reader.ReadUInt64(),
        _fourth = reader.ReadUInt64(),
    };

    // Four in turn: each step waits for the one before.
    void AddBlocks(ulong* words, int blocks)
    {
        var (first, second, third, fourth) = (_first, _second, _third, _fourth);
        for (var i = 0; i < blocks; i++, words += 4)
        {
            first = Step(first, words[0]);
            second = Step(second, words[1]);
            third = Step(third, words[2]);
            fourth = Step(fourth, words[3]);
        }
        (_first, _second, _third, _fourth) = (first, second, third, fourth);
    }

    static ulong Step(ulong sum, ulong word) => BitOperations.RotateLeft((sum ^ word) * Odd, 29) + Odd;

    static string Hex(ulong number) => number.ToString("x16", CultureInfo.InvariantCulture);
}
