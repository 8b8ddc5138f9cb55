using System.Collections.Immutable;
using System.Text.Json;

namespace Millrace.Flows.Triggers;

/// <summary>The filter of a trigger; every clause must hold.</summary>
sealed record Where(ImmutableArray<Clause> Clauses)
{
    public static readonly Where Everything = new([]);

    /// <param name="body">The event's body; null when it is no JSON, and then every path leads nowhere.</param>
    public bool Matches(JsonElement? body) => Clauses.All(clause => clause.Matches(body));
}

/// <summary>One line of <c>where</c>.</summary>
sealed record Clause(JsonPath Path, Condition Condition)
{
    public bool Matches(JsonElement? body) =>
        body is { } root && Path.TryFind(root, out var value) ? Condition.Matches(value) : Condition.MatchesMissing;
}
