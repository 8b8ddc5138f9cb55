namespace Millrace.Inference.Templates.Syntax;

/// <summary>Where the parser is.</summary>
sealed class TokenCursor(List<Token> tokens)
{
    int _at;

    public Token Current => tokens[_at];

    public Token Following => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    public int Line => Current.Line;

    public Token Next()
    {
        var token = Current;
        if (token.Kind != TokenKind.End) _at++;
        return token;
    }

    public bool Skip(string op)
    {
        if (!Current.Is(op)) return false;
        _at++;
        return true;
    }

    public bool SkipName(string name)
    {
        if (!Current.IsName(name)) return false;
        _at++;
        return true;
    }

    public void Expect(string op)
    {
        if (!Skip(op)) throw Unexpected(op);
    }

    public void ExpectName(string name)
    {
        if (!SkipName(name)) throw Unexpected(name);
    }

    public void Expect(TokenKind kind)
    {
        if (Current.Kind != kind) throw Unexpected(new Token(kind, "", 0).Described);
        Next();
    }

    public string ExpectName()
    {
        if (Current.Kind != TokenKind.Name) throw Unexpected("name");
        return Next().Text;
    }

    public TemplateException Error(string text) => new("TemplateSyntaxError", text, Line);

    TemplateException Unexpected(string expected) => Current.Kind == TokenKind.End
        ? Error($"unexpected end of template, expected '{expected}'.")
        : Error($"expected token '{expected}', got '{Current.Described}'");
}
