using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Millrace.Sandbox.Protocol;

/// <summary>Bytes that a worker is sent once and that runs name by their SHA-256.</summary>
static class Blob
{
    public const int HashBytes = 32;

    // The same arrays come with every run of a package; hashing them each time would take longer than many a run.
    static readonly ConditionalWeakTable<byte[], byte[]> Hashes = [];

    public static byte[] HashOf(ReadOnlyMemory<byte> bytes)
    {
        var isWhole = MemoryMarshal.TryGetArray(bytes, out var array) && array.Count == array.Array!.Length;
        return isWhole
            ? Hashes.GetValue(array.Array!, static whole => SHA256.HashData(whole))
            : SHA256.HashData(bytes.Span);
    }

    public static string NameOf(ReadOnlySpan<byte> hash) => Convert.ToHexString(hash);
}
