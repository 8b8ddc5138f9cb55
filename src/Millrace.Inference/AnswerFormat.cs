namespace Millrace.Inference;

/// <summary>What form an answer must have. Tokens that break it are not chosen.</summary>
/// <param name="Kind">Which form.</param>
/// <param name="Definition">The schema as JSON, or the grammar; null for the others.</param>
public sealed record AnswerFormat(AnswerKind Kind, string? Definition)
{
    /// <summary>Any text.</summary>
    public static AnswerFormat Text { get; } = new(AnswerKind.Text, null);

    /// <summary>Any JSON object.</summary>
    public static AnswerFormat JsonObject { get; } = new(AnswerKind.JsonObject, null);

    /// <summary>JSON that meets a schema.</summary>
    public static AnswerFormat JsonSchema(string schema) => new(AnswerKind.JsonSchema, schema);

    /// <summary>A text of a GBNF grammar, from its rule <c>root</c>.</summary>
    public static AnswerFormat Grammar(string gbnf) => new(AnswerKind.Grammar, gbnf);
}

/// <summary>The forms of an answer.</summary>
public enum AnswerKind
{
    /// <summary>Any text.</summary>
    Text,
    /// <summary>A JSON object.</summary>
    JsonObject,
    /// <summary>JSON of a schema.</summary>
    JsonSchema,
    /// <summary>A text of a GBNF grammar.</summary>
    Grammar,
}
