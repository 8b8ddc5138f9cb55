using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Millrace.Wasi.Abi;

/// <summary>
/// Addresses of sockets: a pointer to <c>{buffer, length}</c>. A buffer of 4 or 16 bytes is a bare IPv4 or IPv6
/// address; one of 128 starts with the family.
/// </summary>
static class GuestAddress
{
    const uint BareV4Length = 4;
    const uint BareV6Length = 16;
    const uint TaggedLength = 128;
    const ushort FamilyV4 = 1;
    const ushort FamilyV6 = 2;

    public static Errno Read(IGuestMemory memory, uint at, uint port, out IPEndPoint endPoint)
    {
        endPoint = null!;
        var errno = ReadBuffer(memory, at, out var buffer);
        if (errno != Errno.Success) return errno;
        if (port > ushort.MaxValue) return Errno.Inval;
        var length = (uint)buffer.Length;
        if (length == TaggedLength)
        {
            length = BinaryPrimitives.ReadUInt16LittleEndian(buffer) switch
            {
                FamilyV4 => BareV4Length,
                FamilyV6 => BareV6Length,
                _ => 0,
            };
            if (length == 0) return Errno.Afnosupport;
            buffer = buffer.Slice(2, (int)length);
        }

        endPoint = new(new IPAddress(buffer), (int)port);
        return Errno.Success;
    }

    /// <summary>Whether an address of a family fits; asked before a call does what cannot be undone.</summary>
    public static Errno Check(IGuestMemory memory, uint at, AddressFamily family)
    {
        var errno = ReadBuffer(memory, at, out var buffer);
        if (errno != Errno.Success) return errno;
        return buffer.Length == BareV4Length && family == AddressFamily.InterNetworkV6 ? Errno.Inval : Errno.Success;
    }

    /// <summary>Writes what <see cref="Check"/> found to fit. A buffer of 16 bytes takes IPv4 as well.</summary>
    public static void Write(IGuestMemory memory, uint at, IPAddress address, bool isTagged)
    {
        if (ReadBuffer(memory, at, out var buffer) != Errno.Success) throw new GuestFaultException();
        buffer.Clear();
        if (isTagged && buffer.Length == TaggedLength)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(buffer, IsV4(address) ? FamilyV4 : FamilyV6);
            buffer = buffer[2..];
        }

        if (!address.TryWriteBytes(buffer, out _)) throw new GuestFaultException();
    }

    public static bool IsV4(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork;

    static Errno ReadBuffer(IGuestMemory memory, uint at, out Span<byte> buffer)
    {
        var head = memory.Bytes(at, 8);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
        buffer = default;
        if (length is not (BareV4Length or BareV6Length or TaggedLength)) return Errno.Inval;
        buffer = memory.Bytes(BinaryPrimitives.ReadUInt32LittleEndian(head), length);
        return Errno.Success;
    }
}
