using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Tests;

/// <summary>A guest's memory without a guest.</summary>
sealed class FakeMemory(int length = 1 << 16) : IGuestMemory
{
    public byte[] Array { get; } = new byte[length];

    public bool TrySpan(uint address, uint count, out Span<byte> span)
    {
        var isInside = (ulong)address + count <= (ulong)Array.Length;
        span = isInside ? Array.AsSpan((int)address, (int)count) : default;
        return isInside;
    }
}
