namespace Millrace.Inference.Templates;

/// <summary>A template could not be read or rendered. Kinds are named as the reference names them.</summary>
/// <param name="kind"><c>TemplateSyntaxError</c>, <c>UndefinedError</c>, <c>TypeError</c> and so on.</param>
/// <param name="text">What was wrong, without the place.</param>
/// <param name="line">Line of the template, from 1; 0 where it is not known yet.</param>
sealed class TemplateException(string kind, string text, int line = 0)
    : Exception(line > 0 ? $"line {line}: {text} ({kind})" : $"{text} ({kind})")
{
    public string Kind { get; } = kind;

    public string Text { get; } = text;

    public int Line { get; } = line;

    public TemplateException At(int line) => Line > 0 || line <= 0 ? this : new(Kind, Text, line);

    public static TemplateException Type(string text) => new("TypeError", text);

    public static TemplateException Value(string text) => new("ValueError", text);

    public static TemplateException Undefined(string text) => new("UndefinedError", text);

    public static TemplateException Limit(string text) => new("LimitError", text);

    public static TemplateException Overflow(string text) => new("OverflowError", text);
}
