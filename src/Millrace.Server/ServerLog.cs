using Microsoft.Extensions.Logging;

namespace Millrace.Server;

/// <summary>What the server writes about itself. No text of a guest or of a request stands in it.</summary>
static partial class ServerLog
{
    [LoggerMessage(1, LogLevel.Information, "Listening on {Url}; data in {Folder}.")]
    public static partial void Started(ILogger log, string url, string folder);

    [LoggerMessage(2, LogLevel.Information, "{Type} {Delivery} through {Source}: {Runs} run(s).")]
    public static partial void Accepted(ILogger log, string type, string delivery, string source, int runs);

    [LoggerMessage(3, LogLevel.Information, "{Type} {Delivery} through {Source} was here before: {Runs} run(s).")]
    public static partial void Duplicate(ILogger log, string type, string delivery, string source, int runs);

    [LoggerMessage(4, LogLevel.Information, "{Type} {Delivery} through {Source}: no flow listens to it.")]
    public static partial void Unheard(ILogger log, string type, string delivery, string source);

    [LoggerMessage(5, LogLevel.Warning, "A request to {Path} was refused: {Reason}")]
    public static partial void Refused(ILogger log, string path, string reason);

    [LoggerMessage(6, LogLevel.Warning, "The connection {Connection} cannot be used: {Reason}")]
    public static partial void Unusable(ILogger log, string connection, string reason);

    [LoggerMessage(7, LogLevel.Error, "A request to {Path} failed.")]
    public static partial void Failed(ILogger log, Exception failure, string path);

    [LoggerMessage(8, LogLevel.Error, "{Path} cannot be written and is tried again: {Reason}")]
    public static partial void Unsaved(ILogger log, string path, string reason);
}
