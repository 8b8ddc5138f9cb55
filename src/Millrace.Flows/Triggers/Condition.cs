using System.Collections.Immutable;
using System.Text.Json;

namespace Millrace.Flows.Triggers;

/// <summary>What <c>where</c> asks of the value at one path.</summary>
abstract record Condition
{
    /// <summary>A path that leads nowhere answers only <c>exists</c>.</summary>
    public virtual bool MatchesMissing => false;

    public abstract bool Matches(JsonElement value);
}

/// <summary>The value is one of these.</summary>
sealed record AnyOf(ImmutableArray<JsonElement> Values) : Condition
{
    public override bool Matches(JsonElement value) => Values.Any(wanted => AreEqual(wanted, value));

    static bool AreEqual(JsonElement a, JsonElement b) => a.ValueKind == b.ValueKind && a.ValueKind switch
    {
        JsonValueKind.String => a.ValueEquals(b.GetString()),
        // 1 and 1.0 are one number; beyond a decimal's reach the texts decide.
        JsonValueKind.Number => a.TryGetDecimal(out var x) && b.TryGetDecimal(out var y)
            ? x == y : a.GetRawText() == b.GetRawText(),
        JsonValueKind.True or JsonValueKind.False or JsonValueKind.Null => true,
        _ => false,
    };
}

/// <summary>There is a value, and it is not null; or the opposite.</summary>
sealed record Exists(bool Wanted) : Condition
{
    public override bool MatchesMissing => !Wanted;

    public override bool Matches(JsonElement value) => value.ValueKind != JsonValueKind.Null == Wanted;
}

/// <summary>The value is a text that starts with one of these.</summary>
sealed record Starts(ImmutableArray<string> Beginnings) : Condition
{
    public override bool Matches(JsonElement value) =>
        value.ValueKind == JsonValueKind.String
        && Beginnings.Any(b => value.GetString()!.StartsWith(b, StringComparison.Ordinal));
}

/// <summary>There is a value, and the condition does not hold for it.</summary>
sealed record Not(Condition Inner) : Condition
{
    public override bool Matches(JsonElement value) => !Inner.Matches(value);
}

/// <summary>All of them.</summary>
sealed record AllOf(ImmutableArray<Condition> Inner) : Condition
{
    public override bool MatchesMissing => Inner.All(c => c.MatchesMissing);

    public override bool Matches(JsonElement value) => Inner.All(c => c.Matches(value));
}
