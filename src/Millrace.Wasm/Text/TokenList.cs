namespace Millrace.Wasm.Text;

/// <summary>The tokens of a text.</summary>
/// <param name="Source">The text.</param>
/// <param name="Tokens">All tokens; the last is the end.</param>
/// <param name="Annotations">All outermost annotations, in order.</param>
sealed record TokenList(TextSource Source, Token[] Tokens, Annotation[] Annotations);
