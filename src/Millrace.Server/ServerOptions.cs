using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Flows;

namespace Millrace.Server;

/// <summary>How a server is started.</summary>
public sealed record ServerOptions
{
    /// <summary>Port of the public listener unless told otherwise.</summary>
    public const int PortStandard = 7420;

    /// <summary>Port of the pages unless told otherwise.</summary>
    public const int PagesPortStandard = 7421;

    /// <summary>How the platform is opened; names the data folder.</summary>
    public required PlatformOptions Platform { get; init; }

    /// <summary>Where the public listener listens: this machine alone unless told otherwise.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>Port of the public listener; 0: a free one.</summary>
    public int Port { get; init; } = PortStandard;

    /// <summary>Port of the pages, on this machine alone; 0: a free one.</summary>
    public int PagesPort { get; init; } = PagesPortStandard;

    /// <summary>
    /// False: only the control socket is opened, and no run is executed. For commands that find no server running.
    /// </summary>
    public bool IsServing { get; init; } = true;

    /// <summary>Where the server writes what it does.</summary>
    public ILoggerFactory Logging { get; init; } = NullLoggerFactory.Instance;
}
