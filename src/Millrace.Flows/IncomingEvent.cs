using System.Collections.Immutable;

namespace Millrace.Flows;

/// <summary>Something that happened outside, as the gateway received it.</summary>
public sealed record IncomingEvent
{
    /// <summary>Where it came from: <c>hooks/github/gh</c>, <c>run/hello</c>.</summary>
    public required string Source { get; init; }

    /// <summary>The sender's name for this delivery: the same source and id make no second run.</summary>
    public required string DeliveryId { get; init; }

    /// <summary>What happened: <c>github.pull_request</c>, <c>http</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The connection it came through; null for none.</summary>
    public string? Connection { get; init; }

    /// <summary>The only flow it is meant for; null: all whose triggers match.</summary>
    public string? Flow { get; init; }

    /// <summary>HTTP method.</summary>
    public string Method { get; init; } = "POST";

    /// <summary>Path of the request.</summary>
    public string Path { get; init; } = "";

    /// <summary>Query of the request, without the question mark.</summary>
    public string Query { get; init; } = "";

    /// <summary>Headers by lower-case name; those that carry credentials are not passed on.</summary>
    public ImmutableSortedDictionary<string, string> Headers { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The body as received, byte for byte.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }
}

/// <summary>What became of an event; it is committed.</summary>
/// <param name="IsDuplicate">It was here before; the runs are those of then.</param>
/// <param name="Runs">Ids of its runs; none when no trigger matched.</param>
public sealed record AcceptedEvent(bool IsDuplicate, ImmutableArray<string> Runs);
