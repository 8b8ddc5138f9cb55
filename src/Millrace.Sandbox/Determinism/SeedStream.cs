using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Millrace.Sandbox.Determinism;

/// <summary>
/// What <c>random_get</c> gives: the key stream of AES-256 in counter mode, keyed with the run's seed; block n is the
/// encryption of n as 128-bit little-endian number, and every byte is handed out once. Whoever does not know the seed
/// cannot tell it from chance.
/// </summary>
sealed class SeedStream(ReadOnlyMemory<byte> seed) : IDisposable
{
    const int BlockLength = 16;
    const int BatchBlocks = 64;

    readonly byte[] _batch = new byte[BlockLength * BatchBlocks];
    Aes? _aes;
    ulong _nextBlock;
    int _left;

    public void Fill(Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            if (_left == 0) Refill();
            var count = Math.Min(_left, buffer.Length);
            _batch.AsSpan(_batch.Length - _left, count).CopyTo(buffer);
            _left -= count;
            buffer = buffer[count..];
        }
    }

    public void Dispose() => _aes?.Dispose();

    void Refill()
    {
        if (_aes is null)
        {
            _aes = Aes.Create();
            _aes.SetKey(seed.Span);
        }

        Span<byte> counters = stackalloc byte[BlockLength * BatchBlocks];
        counters.Clear();
        for (var i = 0; i < BatchBlocks; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(counters[(i * BlockLength)..], _nextBlock++);
        _aes.EncryptEcb(counters, _batch, PaddingMode.None);
        _left = _batch.Length;
    }
}
