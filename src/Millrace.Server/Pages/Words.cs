using System.Globalization;
using Millrace.Flows;

namespace Millrace.Server.Pages;

/// <summary>Times, sizes and states as a person reads them.</summary>
static class Words
{
    public static string Duration(TimeSpan time) => time switch
    {
        { TotalMilliseconds: < 1000 } => Text($"{time.TotalMilliseconds:0} ms"),
        { TotalSeconds: < 60 } => Text($"{time.TotalSeconds:0.0} s"),
        { TotalMinutes: < 60 } => Text($"{(int)time.TotalMinutes} min {time.Seconds} s"),
        _ => Text($"{(int)time.TotalHours} h {time.Minutes} min"),
    };

    public static string Ago(DateTimeOffset then, DateTimeOffset now) => (now - then) switch
    {
        { TotalSeconds: < 5 } => "just now",
        { TotalSeconds: < 60 } time => Text($"{time.TotalSeconds:0} s ago"),
        { TotalMinutes: < 60 } time => Text($"{time.TotalMinutes:0} min ago"),
        { TotalHours: < 24 } time => Text($"{time.TotalHours:0} h ago"),
        _ => Text($"{then:yyyy-MM-dd HH:mm}"),
    };

    public static string Time(DateTimeOffset time) => Text($"{time:yyyy-MM-dd HH:mm:ss} UTC");

    public static string Bytes(long count) => count switch
    {
        < 1024 => Text($"{count} B"),
        < 1 << 20 => Text($"{count / 1024.0:0.0} KiB"),
        _ => Text($"{count / 1048576.0:0.0} MiB"),
    };

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Percent(double share) => Text($"{Math.Clamp(share, 0, 1) * 100:0.##}%");

    public static string State(RunSummary run) => run.State switch
    {
        RunState.Queued => "queued",
        RunState.Running => "running",
        _ => run.Outcome.ToString()!,
    };

    /// <summary>Class of a state's badge.</summary>
    public static string Tone(RunSummary run) => run switch
    {
        { State: RunState.Queued } => "wait",
        { State: RunState.Running } => "run",
        { Outcome: RunOutcome.Completed } => "good",
        { Outcome: RunOutcome.Superseded or RunOutcome.Cancelled or RunOutcome.Rejected } => "still",
        _ => "bad",
    };

    public static string Tone(OperationState state) => state switch
    {
        OperationState.Done => "good",
        OperationState.Open or OperationState.Intended => "run",
        OperationState.Cancelled or OperationState.Withdrawn => "still",
        _ => "bad",
    };

    static string Text(FormattableString text) => FormattableString.Invariant(text);
}
