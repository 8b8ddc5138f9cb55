using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates;

/// <summary>What a chat template is rendered for, as transformers hands it over.</summary>
/// <param name="Messages">Dicts with <c>role</c>, <c>content</c> and what else a message has.</param>
/// <param name="AddsGenerationPrompt">Whether the text ends where the assistant begins.</param>
sealed record Conversation(PyList Messages, bool AddsGenerationPrompt)
{
    static readonly string[] ReasoningNames = ["reasoning_content", "thinking", "reasoning"];

    // Long and odd enough to stand nowhere else.
    const string Tag = "CONTINUE_FINAL_MESSAGE_TAG ";

    /// <summary>Tools and documents are always given, as <c>None</c> where there are none.</summary>
    public object Tools { get; init; } = None.Value;

    public object Documents { get; init; } = None.Value;

    /// <summary>Whether the last message is to be gone on with: the text is cut behind its content.</summary>
    public bool ContinuesLast { get; init; }

    /// <summary>Further variables: <c>bos_token</c>, <c>eos_token</c> and switches of the model.</summary>
    public IReadOnlyList<KeyValuePair<string, object>> Variables { get; init; } = [];

    /// <exception cref="TemplateException">The template refuses the conversation.</exception>
    public string Render(ChatTemplate template, TimeProvider clock, TemplateLimits? limits = null)
    {
        var messages = Messages.Elements.Select(WithReasoning).ToArray();
        if (ContinuesLast) messages[^1] = Tagged(messages[^1]);
        var variables = new List<KeyValuePair<string, object>>(Variables)
        {
            new("messages", new PyList(messages)),
            new("tools", Tools),
            new("documents", Documents),
            new("add_generation_prompt", AddsGenerationPrompt),
        };
        var text = template.Render(variables, clock, limits);
        return ContinuesLast ? Cut(text) : text;
    }

    /// <summary>Models differ in what they call their reasoning: a message that has one of the names has the common two.</summary>
    static object WithReasoning(object message)
    {
        if (message is not PyDict dict) return message;
        var reasoning = ReasoningNames.Select(dict.Find)
            .FirstOrDefault(static value => value is not null and not None);
        if (reasoning is null) return message;
        var copy = new PyDict();
        if (dict.Find("thinking") is null) copy["thinking"] = reasoning;
        foreach (var (key, value) in dict.Entries) copy[key] = value;
        copy["reasoning_content"] = reasoning;
        return copy;
    }

    static object Tagged(object message)
    {
        if (message is not PyDict dict) return message;
        var copy = dict.Copy();
        copy["content"] = dict.Find("content") switch
        {
            string text => text + Tag,
            PyList { Elements: [.., PyDict last] parts } when last.Find("text") is string text => TaggedParts(parts, last, text),
            _ => throw TemplateException.Value("the last message has no text to go on with"),
        };
        return copy;
    }

    static PyList TaggedParts(IReadOnlyList<object> parts, PyDict last, string text)
    {
        var copy = last.Copy();
        copy["text"] = text + Tag;
        return new([.. parts.SkipLast(1), copy]);
    }

    static string Cut(string text)
    {
        var at = text.LastIndexOf(Tag.TrimEnd(), StringComparison.Ordinal);
        if (at < 0) throw TemplateException.Value("the template leaves out the last message, which is to be gone on with");
        // A template that trims contents took the blank behind the tag too: then the content's own end is trimmed.
        var isWhole = text.AsSpan(at).StartsWith(Tag, StringComparison.Ordinal);
        return isWhole ? text[..at] : StringMethods.Strip(text[..at], null, false, true);
    }
}
