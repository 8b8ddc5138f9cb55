using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Flows.Manifests;

/// <summary>
/// Which origin a request may go to: <c>api.example.com</c> (https, port 443), <c>api.example.com:8443</c>,
/// <c>*.example.com</c> (any name below it), <c>http://127.0.0.1:9000</c>.
/// </summary>
sealed partial record HostPattern(string Scheme, string Host, int Port)
{
    public static bool TryParse(string text, out HostPattern pattern)
    {
        pattern = null!;
        var match = Pattern().Match(text);
        if (!match.Success) return false;
        var scheme = match.Groups["http"].Success ? "http" : "https";
        var host = match.Groups["host"].Value.ToLowerInvariant();
        var port = scheme == "http" ? 80 : 443;
        if (match.Groups["port"].Success)
        {
            port = int.Parse(match.Groups["port"].ValueSpan, CultureInfo.InvariantCulture);
            if (port is 0 or > 65535) return false;
        }
        pattern = new HostPattern(scheme, host, port);
        return true;
    }

    public static HostPattern Of(Uri origin) => new(origin.Scheme, origin.IdnHost.ToLowerInvariant(), origin.Port);

    public bool Matches(Uri address)
    {
        if (address.Scheme != Scheme || address.Port != Port) return false;
        var host = address.HostNameType == UriHostNameType.IPv6 ? address.Host : address.IdnHost.ToLowerInvariant();
        return Host.StartsWith("*.", StringComparison.Ordinal)
            ? host.EndsWith(Host[1..], StringComparison.Ordinal) && host.Length > Host.Length - 1
            : host == Host || host == Host.Trim('[', ']');
    }

    public override string ToString()
    {
        var standard = Scheme == "https" ? 443 : 80;
        var port = Port == standard ? "" : FormattableString.Invariant($":{Port}");
        return (Scheme == "http" ? "http://" : "") + Host + port;
    }

    [GeneratedRegex(
        @"\A(?:https://|(?<http>http://))?"
        + @"(?<host>(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
        + @"(?::(?<port>[0-9]{1,5}))?/?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
