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

    /// <summary>The models behind the API of the public listener; null: none.</summary>
    public LocalModels? Models { get; init; }

    /// <summary>Whether that API takes requests of this machine without a key.</summary>
    public bool IsApiOpen { get; init; }

    /// <summary>Where the server writes what it does.</summary>
    public ILoggerFactory Logging { get; init; } = NullLoggerFactory.Instance;
}
