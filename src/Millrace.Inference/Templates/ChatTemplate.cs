using Millrace.Inference.Templates.Syntax;

namespace Millrace.Inference.Templates;

/// <summary>
/// A model's chat template: Jinja as Hugging Face's transformers sets it up. What it does not know is an error with
/// its line. Immutable; rendering is a function of the variables and the clock.
/// </summary>
sealed class ChatTemplate
{
    readonly IReadOnlyList<Statement> _statements;

    ChatTemplate(IReadOnlyList<Statement> statements) => _statements = statements;

    /// <exception cref="TemplateException">The text is no template.</exception>
    public static ChatTemplate Parse(string text) => new(Parser.Parse(text));

    /// <exception cref="TemplateException">The template refuses the variables, or goes beyond its limits.</exception>
    public string Render(
        IEnumerable<KeyValuePair<string, object>> variables, TimeProvider clock, TemplateLimits? limits = null) =>
        Renderer.Render(_statements, variables, clock, limits ?? new());
}
