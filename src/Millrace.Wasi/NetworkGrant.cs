using System.Globalization;
using System.Net;

namespace Millrace.Wasi;

/// <summary>An address of the network that a guest may use.</summary>
/// <param name="Host">A name, an IP address, or <c>*</c> for any.</param>
/// <param name="Port">The port; null: any. To listen at port 0 is to leave the choice to the machine.</param>
public sealed record NetworkGrant(string Host, int? Port)
{
    const string Any = "*";

    internal bool IsAnyHost => Host == Any;

    /// <summary>Null when the host is a name.</summary>
    internal IPAddress? Address { get; } = IPAddress.TryParse(Host, out var address) ? address : null;

    /// <summary>Reads <c>host:port</c>; an IPv6 address stands in brackets, <c>*</c> is any host or port.</summary>
    /// <exception cref="FormatException">It is not of this form.</exception>
    public static NetworkGrant Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        var (host, port) = colon < 0 ? (text, "") : (text[..colon], text[(colon + 1)..]);
        var kind = host == Any ? UriHostNameType.Dns : Uri.CheckHostName(host);
        var isHost = kind switch
        {
            UriHostNameType.IPv6 => host.StartsWith('[') && !host.Contains('%', StringComparison.Ordinal),
            UriHostNameType.IPv4 or UriHostNameType.Dns => true,
            _ => false,
        };
        var isPort = ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        if (!isHost || !isPort && port != Any)
            throw new FormatException($"'{text}' is no address: write HOST:PORT, [IPV6]:PORT, HOST:* or *:PORT");
        return new(kind == UriHostNameType.IPv6 ? host[1..^1] : host, isPort ? number : null);
    }

    internal bool HasPort(int port) => Port is null || Port == port;
}
