using System.Net;
using Millrace.Flows.Operations;

namespace Millrace.Flows.Tests.Operations;

public sealed class AddressesTests
{
    [Theory]
    [InlineData("93.184.216.34", true, true)]
    [InlineData("2606:2800:220:1:248:1893:25c8:1946", true, true)]
    [InlineData("127.0.0.1", false, true)]
    [InlineData("127.8.8.8", false, true)]
    [InlineData("10.0.0.1", false, true)]
    [InlineData("172.31.255.255", false, true)]
    [InlineData("172.32.0.1", true, true)]
    [InlineData("192.168.1.1", false, true)]
    [InlineData("100.64.0.1", false, true)]
    [InlineData("169.254.1.1", false, true)]
    [InlineData("::1", false, true)]
    [InlineData("fd12::1", false, true)]
    [InlineData("fe80::1%3", false, true)]
    [InlineData("::ffff:10.0.0.1", false, true)]
    [InlineData("::ffff:93.184.216.34", true, true)]
    [InlineData("64:ff9b::a00:1", false, false)]
    [InlineData("2002:a00:1::1", false, false)]
    [InlineData("::", false, false)]
    [InlineData("0.0.0.0", false, false)]
    [InlineData("224.0.0.1", false, false)]
    [InlineData("255.255.255.255", false, false)]
    [InlineData("ff02::1", false, false)]
    [InlineData("169.254.169.254", false, false)]
    [InlineData("::ffff:169.254.169.254", false, false)]
    [InlineData("fd00:ec2::254", false, false)]
    [InlineData("100.100.100.200", false, false)]
    public void Only_public_addresses_are_reached_unless_private_ones_are_allowed(
        string address, bool asPublic, bool withPrivate)
    {
        Assert.Equal(asPublic, Addresses.MayReach(IPAddress.Parse(address), allowsPrivate: false));
        Assert.Equal(withPrivate, Addresses.MayReach(IPAddress.Parse(address), allowsPrivate: true));
    }
}
