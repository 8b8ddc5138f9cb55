using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Millrace.Sandbox;

/// <summary>What a guest asks at the door.</summary>
/// <param name="Name">The operation, <c>noun.verb</c>.</param>
/// <param name="Head">JSON, UTF-8.</param>
/// <param name="Body">Raw bytes.</param>
public sealed record OperationRequest(string Name, ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Body)
{
    /// <summary>SHA-256 over name, head and body, each with its length before it (u32, little-endian).</summary>
    public byte[] Digest()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, Encoding.UTF8.GetBytes(Name));
        Append(hash, Head.Span);
        Append(hash, Body.Span);
        return hash.GetHashAndReset();
    }

    static void Append(IncrementalHash hash, ReadOnlySpan<byte> bytes)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)bytes.Length);
        hash.AppendData(length);
        hash.AppendData(bytes);
    }
}

/// <summary>Whether an operation succeeded. The numbers are the door's.</summary>
public enum ResultState : byte
{
    /// <summary>Done.</summary>
    Done = 0,
    /// <summary>An error: the head is problem-details JSON with a stable <c>type</c>.</summary>
    Error = 1,
}

/// <summary>The answer to an operation.</summary>
/// <param name="State">Done or error.</param>
/// <param name="Head">JSON, UTF-8.</param>
/// <param name="Body">Raw bytes.</param>
/// <param name="CompletedAtNs">Nanoseconds since the Unix epoch; what the guest's clocks read after it.</param>
public sealed record OperationResult(
    ResultState State, ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Body, long CompletedAtNs);
