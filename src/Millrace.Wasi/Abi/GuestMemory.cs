using System.Buffers.Binary;
using System.Text;
using Millrace.Wasm;

namespace Millrace.Wasi.Abi;

/// <summary>A guest's memory as the calls see it.</summary>
interface IGuestMemory
{
    bool TrySpan(uint address, uint length, out Span<byte> span);
}

/// <summary>The engine's memory.</summary>
sealed class EngineMemory(Memory memory) : IGuestMemory
{
    public bool TrySpan(uint address, uint length, out Span<byte> span) => memory.TrySpan(address, length, out span);
}

/// <summary>Of a guest that exports none: it can still exit or yield, and every pointer is a fault.</summary>
sealed class NoMemory : IGuestMemory
{
    public static readonly NoMemory Instance = new();

    public bool TrySpan(uint address, uint length, out Span<byte> span)
    {
        span = default;
        return false;
    }
}

/// <summary>A pointer outside the guest's memory; becomes <see cref="Errno.Fault"/>.</summary>
sealed class GuestFaultException : Exception;

/// <summary>A text that is not UTF-8; becomes <see cref="Errno.Ilseq"/>.</summary>
sealed class GuestTextException : Exception;

/// <summary>Reading and writing of the ABI's values; all little-endian.</summary>
static class GuestMemory
{
    static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public static Span<byte> Bytes(this IGuestMemory memory, uint address, uint length) =>
        memory.TrySpan(address, length, out var span) ? span : throw new GuestFaultException();

    public static uint ReadU32(this IGuestMemory memory, uint address) =>
        BinaryPrimitives.ReadUInt32LittleEndian(memory.Bytes(address, 4));

    public static void WriteU32(this IGuestMemory memory, uint address, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(memory.Bytes(address, 4), value);

    public static void WriteU64(this IGuestMemory memory, uint address, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(memory.Bytes(address, 8), value);

    public static string ReadText(this IGuestMemory memory, uint address, uint length)
    {
        try
        {
            return StrictUtf8.GetString(memory.Bytes(address, length));
        }
        catch (DecoderFallbackException)
        {
            throw new GuestTextException();
        }
    }

    /// <summary>The list of buffers of a scattered read or write, checked whole before the first is used.</summary>
    public static IoVector[] ReadVectors(this IGuestMemory memory, uint address, uint count)
    {
        if (count > IoVector.CountMax) throw new GuestFaultException();
        var list = memory.Bytes(address, count * 8);
        var vectors = new IoVector[count];
        for (var i = 0; i < vectors.Length; i++)
        {
            var at = list.Slice(i * 8, 8);
            vectors[i] = new(
                BinaryPrimitives.ReadUInt32LittleEndian(at), BinaryPrimitives.ReadUInt32LittleEndian(at[4..]));
            _ = memory.Bytes(vectors[i].Address, vectors[i].Length);
        }

        return vectors;
    }
}

/// <summary>One buffer of a scattered read or write.</summary>
readonly record struct IoVector(uint Address, uint Length)
{
    /// <summary>As Linux' IOV_MAX.</summary>
    public const uint CountMax = 1024;
}
