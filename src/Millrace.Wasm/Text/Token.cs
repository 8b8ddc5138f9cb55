namespace Millrace.Wasm.Text;

/// <summary>The token classes of the text format (core specification, section 6.3).</summary>
enum TokenKind : byte
{
    End,
    Open,
    Close,
    Text,
    Id,
    Keyword,
    /// <summary>An unsigned integer.</summary>
    Natural,
    /// <summary>An integer with a sign.</summary>
    Signed,
    Float,
    /// <summary>Characters that form no other token.</summary>
    Reserved,
}

/// <summary>One token.</summary>
/// <param name="Kind">Its class.</param>
/// <param name="Start">Offset of its first character.</param>
/// <param name="End">Offset behind its last character.</param>
/// <param name="Match">For a parenthesis: index of its partner; −1 where there is none.</param>
readonly record struct Token(TokenKind Kind, int Start, int End, int Match);

/// <summary>An annotation <c>(@id …)</c>, which the lexer skips.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Before">Index of the token that it stands before.</param>
/// <param name="Start">Offset of its contents.</param>
/// <param name="End">Offset of its closing parenthesis.</param>
readonly record struct Annotation(string Id, int Before, int Start, int End);
