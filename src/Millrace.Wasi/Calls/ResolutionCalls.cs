using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Calls;

/// <summary>
/// <c>sock_getaddrinfo</c>. The guest gives a linked list of records with room for their addresses, which is filled in
/// place; nothing is allocated in its memory.
/// </summary>
static class ResolutionCalls
{
    public static readonly CallEntry[] Entries = [new("sock_getaddrinfo", "iiiiiiii", Resolve)];

    const uint TextBytesMax = 1024;
    const uint RecordLength = 28;
    const uint AddressLength = 12;
    const uint DataLengthV4 = 14;
    const uint DataLengthV6 = 26;
    const uint ResultsMax = 64;

    static readonly Dictionary<string, ushort> Ports = new(StringComparer.OrdinalIgnoreCase)
    {
        ["domain"] = 53,
        ["ftp"] = 21,
        ["http"] = 80,
        ["https"] = 443,
        ["imap"] = 143,
        ["imaps"] = 993,
        ["ntp"] = 123,
        ["pop3"] = 110,
        ["postgresql"] = 5432,
        ["redis"] = 6379,
        ["smtp"] = 25,
        ["ssh"] = 22,
    };

    [Flags]
    enum Hint : ushort
    {
        None = 0,
        Passive = 1,
        NumericHost = 4,
        NumericService = 8,
    }

    /// <summary>What is asked for; zero is any family or type.</summary>
    readonly record struct Hints(Hint Flags, byte Family, byte Type);

    readonly record struct Found(IPAddress Address, ushort Port, byte Type);

    static Errno Resolve(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var (listAt, max, countAt) = (arguments.U32(5), arguments.U32(6), arguments.U32(7));
        memory.WriteU32(countAt, 0);
        if (!wasi.Network.IsOpen) return Errno.Acces;
        if (max == 0) return Errno.Aimemory;
        if (arguments.U32(1) > TextBytesMax || arguments.U32(3) > TextBytesMax) return Errno.Ainoname;
        var node = ZeroEnded(memory.ReadText(arguments.U32(0), arguments.U32(1)));
        var service = ZeroEnded(memory.ReadText(arguments.U32(2), arguments.U32(3)));
        if (node.Length + service.Length == 0) return Errno.Ainoname;
        var errno = ReadHints(memory, arguments.U32(4), out var hints);
        if (errno != Errno.Success) return errno;
        if (!TryPort(service, hints, out var port)) return Errno.Aiservice;
        errno = FindAddresses(wasi, node, hints, out var addresses);
        if (errno != Errno.Success) return errno;
        byte[] types = hints.Type == 0 ? [2, 1] : [hints.Type];
        var found = addresses.SelectMany(address => types.Select(type => new Found(address, port, type)));
        memory.WriteU32(countAt, Write(memory, memory.ReadU32(listAt), found, Math.Min(max, ResultsMax)));
        return Errno.Success;
    }

    static Errno ReadHints(IGuestMemory memory, uint at, out Hints hints)
    {
        hints = default;
        if (at == 0) return Errno.Success;
        var bytes = memory.Bytes(at, RecordLength);
        hints = new((Hint)BinaryPrimitives.ReadUInt16LittleEndian(bytes), bytes[2], bytes[3]);
        if (hints.Family > 2) return Errno.Aifamily;
        return hints.Type > 2 ? Errno.Aisocktype : Errno.Success;
    }

    static bool TryPort(string service, Hints hints, out ushort port)
    {
        port = 0;
        return service.Length == 0
            || ushort.TryParse(service, NumberStyles.None, CultureInfo.InvariantCulture, out port)
            || !hints.Flags.HasFlag(Hint.NumericService) && Ports.TryGetValue(service, out port);
    }

    static Errno FindAddresses(WasiContext wasi, string node, Hints hints, out IPAddress[] addresses)
    {
        var errno = Errno.Success;
        if (node.Length == 0)
        {
            addresses = hints.Flags.HasFlag(Hint.Passive)
                ? [IPAddress.Any, IPAddress.IPv6Any]
                : [IPAddress.Loopback, IPAddress.IPv6Loopback];
        }
        else if (hints.Flags.HasFlag(Hint.NumericHost) && !IPAddress.TryParse(node, out _))
        {
            (errno, addresses) = (Errno.Ainoname, []);
        }
        else
        {
            errno = wasi.Network.Resolve(node, out addresses);
        }

        if (errno != Errno.Success) return errno;
        addresses = [.. addresses.Where(IsWanted)];
        return addresses.Length == 0 ? Errno.Ainodata : Errno.Success;

        bool IsWanted(IPAddress address) => address.AddressFamily switch
        {
            AddressFamily.InterNetwork => hints.Family != 2,
            AddressFamily.InterNetworkV6 => hints.Family != 1,
            _ => false,
        };
    }

    /// <summary>Fills records until either they or the results end; says how many.</summary>
    static uint Write(IGuestMemory memory, uint at, IEnumerable<Found> results, uint max)
    {
        var written = 0u;
        foreach (var result in results)
        {
            if (at == 0 || written == max) break;
            Write(memory, at, result);
            at = memory.ReadU32(at + 24);
            written++;
        }

        return written;
    }

    static void Write(IGuestMemory memory, uint at, Found found)
    {
        var isV4 = GuestAddress.IsV4(found.Address);
        var family = isV4 ? (byte)1 : (byte)2;
        var record = memory.Bytes(at, RecordLength);
        var addressAt = BinaryPrimitives.ReadUInt32LittleEndian(record[12..]);
        var address = memory.Bytes(addressAt, AddressLength);
        var dataAt = BinaryPrimitives.ReadUInt32LittleEndian(address[8..]);
        var data = memory.Bytes(dataAt, isV4 ? DataLengthV4 : DataLengthV6);

        (record[2], record[3], record[4]) = (family, found.Type, found.Type == 2 ? (byte)1 : (byte)2);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], AddressLength);
        BinaryPrimitives.WriteUInt32LittleEndian(record[20..], 0);
        address[0] = family;
        BinaryPrimitives.WriteUInt32LittleEndian(address[4..], (uint)data.Length);
        data.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(data, found.Port);
        found.Address.TryWriteBytes(data[(isV4 ? 2 : 6)..], out _);
    }

    static string ZeroEnded(string text) =>
        text.IndexOf('\0', StringComparison.Ordinal) is >= 0 and var end ? text[..end] : text;
}
