using System.Buffers.Binary;
using System.Text;
using Millrace.Wasm;

namespace Millrace.Nn.Calls;

/// <summary>The caller's memory; all values little-endian.</summary>
/// <param name="fault">What a bad pointer is.</param>
readonly struct GuestMemory(Caller caller, NnErrno fault)
{
    static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>Bytes there are.</summary>
    /// <exception cref="TrapException">The guest exports no memory.</exception>
    public long Length => caller.Memory.ByteLength;

    public Span<byte> Bytes(uint address, uint length) => caller.Memory.TrySpan(address, length, out var span)
        ? span
        : throw new NnException(fault, $"{length} bytes at {address} are outside the guest's memory");

    /// <summary>Room for a result, looked for before anything is done.</summary>
    public Span<byte> Room(uint address) => Bytes(address, sizeof(uint));

    public void WriteU32(uint address, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(Bytes(address, sizeof(uint)), value);

    public string ReadText(uint address, uint length, int bytesMax)
    {
        var bytes = Bytes(address, length);
        if (length > bytesMax) throw new NnException(NnErrno.TooLarge, $"a text of {length} bytes; the limit is {bytesMax}");
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new NnException(NnErrno.InvalidArgument, $"the text at {address} is not UTF-8");
        }
    }
}
