namespace Millrace.Wasm.Text;

/// <summary>A place in a token list, and the small readers that all grammars share.</summary>
sealed class Cursor(TokenList list, int position = 0)
{
    /// <summary>Index of the next token.</summary>
    public int Position { get; set; } = position;

    public TokenList List => list;

    public TextSource Source => list.Source;

    public Token Token => list.Tokens[Position];

    public TokenKind Kind => Token.Kind;

    public Token Next => Position + 1 < list.Tokens.Length ? list.Tokens[Position + 1] : list.Tokens[^1];

    public ReadOnlySpan<char> Span => SpanOf(Token);

    public ReadOnlySpan<char> SpanOf(Token token) => Source.Text.AsSpan(token.Start, token.End - token.Start);

    public bool IsKeyword(ReadOnlySpan<char> word) => Kind == TokenKind.Keyword && Span.SequenceEqual(word);

    public bool TryKeyword(ReadOnlySpan<char> word)
    {
        if (!IsKeyword(word)) return false;
        Position++;
        return true;
    }

    /// <summary>Whether a form <c>(word …)</c> stands here.</summary>
    public bool IsForm(ReadOnlySpan<char> word) =>
        Kind == TokenKind.Open && Next.Kind == TokenKind.Keyword && SpanOf(Next).SequenceEqual(word);

    /// <summary>Enters a form <c>(word …)</c>, if one stands here.</summary>
    public bool TryOpen(ReadOnlySpan<char> word)
    {
        if (!IsForm(word)) return false;
        Position += 2;
        return true;
    }

    public void Open(ReadOnlySpan<char> word)
    {
        if (TryOpen(word)) return;
        if (Kind == TokenKind.Open) Position++;
        throw Unexpected();
    }

    public void Close()
    {
        if (Kind != TokenKind.Close) throw Unexpected();
        Position++;
    }

    /// <summary>Steps over one token or one whole form.</summary>
    public void Skip()
    {
        var token = Token;
        if (token.Kind == TokenKind.End) throw Unexpected();
        if (token.Kind == TokenKind.Open && token.Match < 0) throw UnexpectedAt(list.Tokens[^1]);
        Position = token.Kind == TokenKind.Open ? token.Match + 1 : Position + 1;
    }

    public string? TryId()
    {
        if (Kind != TokenKind.Id) return null;
        var span = Span;
        Position++;
        return span[1] == '"' ? StringText.DecodeName(span[1..]) : span[1..].ToString();
    }

    /// <summary>A string that must be UTF-8.</summary>
    public string Name()
    {
        if (Kind != TokenKind.Text) throw Unexpected();
        var span = Span;
        if (!StringText.IsUtf8(span)) throw Error("malformed UTF-8 encoding");
        Position++;
        return StringText.DecodeName(span);
    }

    public bool TryNatural(out ulong value)
    {
        value = 0;
        if (Kind != TokenKind.Natural) return false;
        if (!NumberText.TryNatural(Span, out value)) throw Error("constant out of range");
        Position++;
        return true;
    }

    public uint Natural32()
    {
        if (Kind != TokenKind.Natural) throw Unexpected();
        if (!NumberText.TryNatural(Span, out var value) || value > uint.MaxValue) throw Error("constant out of range");
        Position++;
        return (uint)value;
    }

    public MalformedException Error(string reason) => Source.Error(reason, Token.Start);

    /// <summary>The fault of a token that the grammar has no place for.</summary>
    public MalformedException Unexpected() => UnexpectedAt(Token);

    /// <summary>Whether the next token is a word that the format does not know.</summary>
    public bool IsUnknownWord => IsUnknown(Token);

    bool IsUnknown(Token token) =>
        token.Kind is TokenKind.Keyword or TokenKind.Reserved && !Keywords.IsKnown(SpanOf(token));

    MalformedException UnexpectedAt(Token token) =>
        IsUnknown(token)
            ? Source.Error($"unknown operator {SpanOf(token)}", token.Start)
            : Source.Error("unexpected token", token.Start);
}
