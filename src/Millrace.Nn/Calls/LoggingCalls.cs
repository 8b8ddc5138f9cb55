using System.Text;
using Millrace.Wasm;
using ValueType = Millrace.Wasm.ValueType;

namespace Millrace.Nn.Calls;

/// <summary>The guest's own log. It names a place for its lines, a file even; they all go to the host's log.</summary>
static class LoggingCalls
{
    public const string Module = "wasi:logging/logging";

    public const string Name = "log";

    const uint BytesMax = 8192;

    static readonly string[] Levels = ["trace", "debug", "info", "warn", "error", "critical"];

    public static FunctionType Type { get; } = new([.. Enumerable.Repeat(ValueType.I32, 5)], []);

    /// <exception cref="TrapException">A pointer is outside the memory; there is no errno to answer.</exception>
    public static void Log(NnSession session, Memory memory, Arguments arguments)
    {
        var context = Text(memory, arguments[1], arguments[2]);
        var message = Text(memory, arguments[3], arguments[4]);
        var level = arguments[0] < Levels.Length ? Levels[arguments[0]] : $"level {arguments[0]}";
        session.Say(context is "" or "stdout" or "stderr" ? $"{level}: {message}" : $"{level}: {context}: {message}");
    }

    static string Text(Memory memory, uint at, uint length) =>
        Encoding.UTF8.GetString(memory.Span(at, length)[..(int)Math.Min(length, BytesMax)]);
}
