namespace Millrace.Inference.Templates.Syntax;

enum TokenKind
{
    Text,
    OpenVariable,
    CloseVariable,
    OpenBlock,
    CloseBlock,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
}

/// <summary>One piece of a template. <paramref name="Text"/> of a string literal is its value.</summary>
readonly record struct Token(TokenKind Kind, string Text, int Line)
{
    public bool Is(string op) => Kind == TokenKind.Operator && Text == op;

    public bool IsName(string name) => Kind == TokenKind.Name && Text == name;

    /// <summary>As error messages call it.</summary>
    public string Described => Kind switch
    {
        TokenKind.CloseVariable => "end of print statement",
        TokenKind.OpenVariable => "begin of print statement",
        TokenKind.CloseBlock => "end of statement block",
        TokenKind.OpenBlock => "begin of statement block",
        TokenKind.String => "string",
        TokenKind.Integer => "integer",
        TokenKind.Float => "float",
        TokenKind.End => "end of template",
        _ => Text,
    };
}
