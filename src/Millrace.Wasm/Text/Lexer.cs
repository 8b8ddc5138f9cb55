using System.Buffers;

namespace Millrace.Wasm.Text;

/// <summary>Characters to tokens (core specification, section 6.3, and the annotations proposal).</summary>
sealed class Lexer
{
    static readonly SearchValues<char> IdCharacters = SearchValues.Create(
        "!#$%&'*+-./0123456789:<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ\\^_`abcdefghijklmnopqrstuvwxyz|~");

    static readonly SearchValues<char> Punctuation = SearchValues.Create(",;[]{}");

    readonly TextSource _source;
    readonly string _text;
    readonly int _end;
    readonly List<Token> _tokens;
    readonly List<Annotation> _annotations = [];
    readonly Stack<int> _open = new();
    int _position;

    Lexer(TextSource source, int start, int end)
    {
        (_source, _text, _position, _end) = (source, source.Text, start, end);
        _tokens = new((end - start) / 5 + 8);
    }

    /// <summary>Reads all tokens of a text.</summary>
    public static TokenList Read(TextSource source) => Read(source, 0, source.Text.Length);

    /// <summary>Reads the tokens of a part of a text.</summary>
    public static TokenList Read(TextSource source, int start, int end)
    {
        var lexer = new Lexer(source, start, end);
        while (lexer.Step())
        {
        }

        return new(source, [.. lexer._tokens], [.. lexer._annotations]);
    }

    bool Step()
    {
        SkipSpace();
        if (_position >= _end)
        {
            _tokens.Add(new(TokenKind.End, _end, _end, -1));
            return false;
        }

        switch (_text[_position])
        {
            case '(' when Peek(1) == '@':
                ReadAnnotation();
                break;
            case '(':
                _open.Push(_tokens.Count);
                Add(TokenKind.Open, _position + 1);
                break;
            case ')':
                AddClose();
                break;
            default:
                ReadAtom();
                break;
        }

        return true;
    }

    char Peek(int ahead) => _position + ahead < _end ? _text[_position + ahead] : '\0';

    void Add(TokenKind kind, int end)
    {
        _tokens.Add(new(kind, _position, end, -1));
        _position = end;
    }

    void AddClose()
    {
        var match = -1;
        if (_open.TryPop(out var open))
        {
            match = open;
            _tokens[open] = _tokens[open] with { Match = _tokens.Count };
        }

        _tokens.Add(new(TokenKind.Close, _position, _position + 1, match));
        _position++;
    }

    void SkipSpace()
    {
        while (_position < _end)
        {
            switch (_text[_position])
            {
                case ' ' or '\t' or '\n' or '\r':
                    _position++;
                    break;
                case ';' when Peek(1) == ';':
                    SkipLine();
                    break;
                case '(' when Peek(1) == ';':
                    SkipBlockComment();
                    break;
                default:
                    return;
            }
        }
    }

    void SkipLine()
    {
        var length = _text.AsSpan(_position, _end - _position).IndexOfAny('\n', '\r');
        _position = length < 0 ? _end : _position + length;
    }

    void SkipBlockComment()
    {
        var start = _position;
        var depth = 0;
        do
        {
            var next = _text.AsSpan(_position, _end - _position).IndexOfAny(';', '(');
            if (next < 0) throw _source.Error("unclosed comment", start);
            _position += next;
            if (_text[_position] == '(' && Peek(1) == ';') (depth, _position) = (depth + 1, _position + 2);
            else if (_text[_position] == ';' && Peek(1) == ')') (depth, _position) = (depth - 1, _position + 2);
            else _position++;
        }
        while (depth > 0);
    }

    /// <summary>The longest run of identifier characters and strings is one token, or no token at all.</summary>
    void ReadAtom()
    {
        var first = _text[_position];
        var isId = first == '$' && Peek(1) == '"';
        var end = isId ? _position + 1 : _position;
        var strings = 0;
        var plain = 0;
        while (end < _end)
        {
            var c = _text[end];
            if (IdCharacters.Contains(c)) (end, plain) = (end + 1, plain + 1);
            else if (c == '"') (end, strings) = (ScanString(end, isId && strings == 0), strings + 1);
            else if (Punctuation.Contains(c) && !IsLineComment(end)) (end, plain) = (end + 1, plain + 1);
            else break;
        }

        if (end == _position) throw _source.Error("illegal character", _position);
        if (isId && strings == 1 && plain == 0) AddQuotedId(end);
        else if (!isId && strings == 1 && plain == 0) Add(TokenKind.Text, end);
        else if (strings > 0) Add(TokenKind.Reserved, end);
        else Add(Classify(_text.AsSpan(_position, end - _position)), end);
    }

    bool IsLineComment(int at) => _text[at] == ';' && at + 1 < _end && _text[at + 1] == ';';

    void AddQuotedId(int end)
    {
        if (end - _position == 3) throw _source.Error("empty identifier", _position);
        if (!StringText.IsUtf8(_text.AsSpan(_position + 1, end - _position - 1)))
            throw _source.Error("malformed UTF-8 encoding", _position);
        Add(TokenKind.Id, end);
    }

    TokenKind Classify(ReadOnlySpan<char> atom)
    {
        if (atom.ContainsAny(Punctuation)) return TokenKind.Reserved;
        switch (atom[0])
        {
            case '$':
                if (atom.Length == 1) throw _source.Error("empty identifier", _position);
                return TokenKind.Id;
            case (>= '0' and <= '9') or '+' or '-':
                return NumberText.Classify(atom);
            case >= 'a' and <= 'z':
                var number = atom[0] is 'i' or 'n' ? NumberText.Classify(atom) : TokenKind.Reserved;
                return number == TokenKind.Float ? number : TokenKind.Keyword;
            default:
                return TokenKind.Reserved;
        }
    }

    /// <summary>Checks a string that begins at a quote and answers the offset behind it.</summary>
    int ScanString(int start, bool isId)
    {
        var at = start + 1;
        while (true)
        {
            if (at >= _end) throw Unclosed(start, isId);
            var c = _text[at];
            if (c == '"') return at + 1;
            if (c is '\n' or '\r') throw Unclosed(start, isId);
            if (c == '\\')
            {
                var length = StringText.EscapeLength(_text.AsSpan(at, _end - at));
                if (length == 0) throw _source.Error(isId ? "empty identifier" : "illegal escape", at);
                at += length;
            }
            else if (c < ' ' || c == '\x7f')
            {
                throw _source.Error(isId ? "empty identifier" : "illegal control character in string literal", at);
            }
            else
            {
                at++;
            }
        }
    }

    MalformedException Unclosed(int start, bool isId) =>
        _source.Error(isId ? "empty identifier" : "unclosed string literal", start);

    void ReadAnnotation()
    {
        var start = _position;
        _position += 2;
        var id = ReadAnnotationId(start);
        var contents = _position;
        var depth = 1;
        while (depth > 0)
        {
            SkipSpace();
            if (_position >= _end) throw _source.Error("unclosed annotation", start);
            switch (_text[_position])
            {
                case '(':
                    (depth, _position) = (depth + 1, _position + 1);
                    break;
                case ')':
                    (depth, _position) = (depth - 1, _position + 1);
                    break;
                default:
                    SkipAnnotationAtom();
                    break;
            }
        }

        _annotations.Add(new(id, _tokens.Count, contents, _position - 1));
    }

    string ReadAnnotationId(int start)
    {
        if (Peek(0) == '"')
        {
            int end;
            try
            {
                end = ScanString(_position, isId: false);
            }
            catch (MalformedException)
            {
                throw _source.Error("empty annotation id", start);
            }

            var quoted = _text.AsSpan(_position, end - _position);
            if (!StringText.IsUtf8(quoted)) throw _source.Error("malformed UTF-8 encoding", _position);
            if (quoted.Length == 2) throw _source.Error("empty annotation id", start);
            _position = end;
            return StringText.DecodeName(quoted);
        }

        var from = _position;
        while (_position < _end && IdCharacters.Contains(_text[_position])) _position++;
        return _position > from ? _text[from.._position] : throw _source.Error("empty annotation id", start);
    }

    void SkipAnnotationAtom()
    {
        var c = _text[_position];
        if (c == '"') _position = ScanString(_position, isId: false);
        else if (c is > ' ' and < '\x7f') _position++;
        else throw _source.Error("illegal character", _position);
    }
}
