using System.Net;
using System.Net.Sockets;

namespace Millrace.Flows.Operations;

/// <summary>Which addresses a request may reach.</summary>
static class Addresses
{
    /// <summary>
    /// Where cloud hosts hand out credentials to whoever asks from inside; refused even where private addresses are
    /// allowed.
    /// </summary>
    static readonly IPAddress[] Metadata =
        [.. new[] { "169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254" }.Select(IPAddress.Parse)];

    /// <summary>IANA's special-purpose registries for IPv4, without what is never a single host (see below).</summary>
    static readonly IPNetwork[] PrivateV4 =
    [
        .. new[]
        {
            "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
            "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        }.Select(IPNetwork.Parse),
    ];

    /// <summary>"This network", multicast, reserved and broadcast.</summary>
    static readonly IPNetwork[] NoHostV4 =
        [.. new[] { "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4" }.Select(IPNetwork.Parse)];

    /// <summary>Global unicast is 2000::/3; inside it these are not public, or carry an IPv4 address.</summary>
    static readonly IPNetwork[] NotPublicV6 =
        [.. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20" }.Select(IPNetwork.Parse)];

    static readonly IPNetwork GlobalV6 = IPNetwork.Parse("2000::/3");
    static readonly IPNetwork UniqueLocalV6 = IPNetwork.Parse("fc00::/7");
    static readonly IPNetwork LinkLocalV6 = IPNetwork.Parse("fe80::/10");

    public static bool MayReach(IPAddress address, bool allowsPrivate)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.ScopeIdOrZero() != 0) address = new IPAddress(address.GetAddressBytes());
        if (Metadata.Contains(address)) return false;
        return address.AddressFamily == AddressFamily.InterNetwork
            ? MayReachV4(address, allowsPrivate)
            : MayReachV6(address, allowsPrivate);
    }

    static bool MayReachV4(IPAddress address, bool allowsPrivate)
    {
        if (NoHostV4.Any(network => network.Contains(address))) return false;
        return allowsPrivate || !PrivateV4.Any(network => network.Contains(address));
    }

    static bool MayReachV6(IPAddress address, bool allowsPrivate)
    {
        if (GlobalV6.Contains(address)) return !NotPublicV6.Any(network => network.Contains(address));
        var isPrivate = address.Equals(IPAddress.IPv6Loopback)
            || UniqueLocalV6.Contains(address) || LinkLocalV6.Contains(address);
        return allowsPrivate && isPrivate;
    }

    static long ScopeIdOrZero(this IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? address.ScopeId : 0;
}
