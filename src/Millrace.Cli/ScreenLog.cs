using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Millrace.Cli;

/// <summary>The server's log as lines on the screen, each with its time.</summary>
sealed class ScreenLog(Screen screen, TimeProvider time) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) =>
        throw new NotSupportedException("the screen is the only place");

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        var level = logLevel >= LogLevel.Warning ? $"{logLevel.ToString().ToLowerInvariant()}: " : "";
        var cause = exception is null ? "" : $" {exception}";
        Say(level + formatter(state, exception) + cause);
    }

    /// <summary>One line with the time before it.</summary>
    public void Say(string text) =>
        screen.Note($"{time.GetLocalNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture)} {text}");

    public void Dispose()
    {
    }
}
