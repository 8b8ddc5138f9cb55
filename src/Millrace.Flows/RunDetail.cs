using System.Collections.Immutable;

namespace Millrace.Flows;

/// <summary>A run in a list.</summary>
public sealed record RunSummary
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>The flow's name; in a child run the integration's.</summary>
    public required string Flow { get; init; }

    /// <summary>The version that it is pinned to.</summary>
    public required int Version { get; init; }

    /// <summary>Type of its event; null in a child run.</summary>
    public string? EventType { get; init; }

    /// <summary>In a child run the operation that it answers.</summary>
    public string? Operation { get; init; }

    /// <summary>Its partition, if any.</summary>
    public string? Partition { get; init; }

    /// <summary>Where it is.</summary>
    public required RunState State { get; init; }

    /// <summary>How it ended; null before.</summary>
    public RunOutcome? Outcome { get; init; }

    /// <summary>The guest's exit code.</summary>
    public int ExitCode { get; init; }

    /// <summary>One sentence about the end, with the guest's backtrace where there is one.</summary>
    public string Message { get; init; } = "";

    /// <summary>How often it was executed, or begun to be.</summary>
    public int Attempts { get; init; }

    /// <summary>The run whose failure it answers.</summary>
    public string? FailureOf { get; init; }

    /// <summary>When its event was accepted.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it first began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? EndedAt { get; init; }
}

/// <summary>A run with its timeline.</summary>
/// <param name="Summary">The run.</param>
/// <param name="Event">The event's envelope, JSON; empty in a child run.</param>
/// <param name="Operations">What it asked at the door, in order.</param>
public sealed record RunDetail(RunSummary Summary, string Event, ImmutableArray<OperationDetail> Operations)
{
    /// <summary>CPU time of the guest in its last attempt.</summary>
    public TimeSpan Cpu { get; init; }

    /// <summary>Most bytes of linear memory at one time.</summary>
    public long MemoryBytesPeak { get; init; }

    /// <summary>Tokens used by all operations.</summary>
    public long Tokens { get; init; }
}

/// <summary>One operation of a run's timeline.</summary>
public sealed record OperationDetail
{
    /// <summary>Order of its start.</summary>
    public required long Sequence { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its kind.</summary>
    public required OperationKind Kind { get; init; }

    /// <summary>Where it is.</summary>
    public required OperationState State { get; init; }

    /// <summary>What was asked: JSON.</summary>
    public required string Head { get; init; }

    /// <summary>Head of the result, JSON; null while there is none.</summary>
    public string? Result { get; init; }

    /// <summary>Bytes of the result's body.</summary>
    public int ResultBodyBytes { get; init; }

    /// <summary>When it started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>From start to result.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>Tokens used.</summary>
    public long Tokens { get; init; }

    /// <summary>How often it was asked outside; more than once after failures and crashes.</summary>
    public int Asks { get; init; }

    /// <summary>How often its effect was looked for, being in doubt.</summary>
    public int Rounds { get; init; }

    /// <summary>Runs of integrations that answered it.</summary>
    public ImmutableArray<RunDetail> Children { get; init; } = [];
}

/// <summary>One line of a run's log.</summary>
/// <param name="At">When it was written.</param>
/// <param name="Level"><c>debug</c>, <c>info</c>, <c>warn</c>, <c>error</c>, or <c>stderr</c>.</param>
/// <param name="Text">What was written.</param>
public sealed record LogEntry(DateTimeOffset At, string Level, string Text);

/// <summary>Beginning of a run's answer over HTTP.</summary>
/// <param name="Status">Status code.</param>
/// <param name="Headers">Headers that the guest chose.</param>
public sealed record RunAnswer(int Status, ImmutableSortedDictionary<string, string> Headers);

/// <summary>A deployed package.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="IsNew">False: it is the same, byte for byte, as the newest version.</param>
/// <param name="Remarks">What is still to do before it works.</param>
public sealed record DeployedPackage(string Name, int Version, bool IsNew, ImmutableArray<string> Remarks);

/// <summary>A deployed flow in a list.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">The newest version.</param>
/// <param name="DeployedAt">When that was deployed.</param>
/// <param name="Triggers">What makes runs of it: event types.</param>
public sealed record FlowSummary(
    string Name, int Version, DateTimeOffset DeployedAt, ImmutableArray<string> Triggers);

/// <summary>A deployed integration in a list.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Version">The newest version.</param>
/// <param name="HasWebhook">Whether it emits events.</param>
public sealed record IntegrationSummary(string Name, int Version, bool HasWebhook);
