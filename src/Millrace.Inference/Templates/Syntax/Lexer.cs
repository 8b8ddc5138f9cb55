using System.Text;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Syntax;

/// <summary>
/// Cuts a template into text and the tokens of its tags. White space is handled as the reference's environment is set:
/// a newline behind a block or comment is dropped, blanks before one that begins its line too; <c>-</c> drops all white
/// space on its side, <c>+</c> none.
/// </summary>
sealed class Lexer
{
    readonly string _source;
    readonly List<Token> _tokens = [];
    int _at;
    int _line = 1;

    // Whether what was read last ended a line; decides whether the text before a tag begins one.
    bool _isLineStart = true;

    Lexer(string source) => _source = source;

    public static List<Token> Read(string template)
    {
        var source = template.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (source.EndsWith('\n')) source = source[..^1];
        var lexer = new Lexer(source);
        lexer.ReadAll();
        return lexer._tokens;
    }

    void ReadAll()
    {
        while (_at < _source.Length)
        {
            var open = NextOpening(_at);
            if (open < 0)
            {
                AddText(_source[_at..], false, false);
                _at = _source.Length;
                break;
            }

            var kind = _source[open + 1];
            var sign = open + 2 < _source.Length && _source[open + 2] is '-' or '+' ? _source[open + 2] : ' ';
            AddText(_source[_at..open], sign == '-', sign == ' ' && kind != '{');
            _at = open + (sign == ' ' ? 2 : 3);
            if (kind == '#') SkipComment();
            else if (kind == '%' && TryOpenRaw()) ReadRaw();
            else ReadTag(kind == '{');
        }

        Add(TokenKind.End, "");
    }

    int NextOpening(int from)
    {
        for (var i = from; i + 1 < _source.Length; i++)
        {
            var next = _source.AsSpan(i).IndexOf('{');
            if (next < 0) return -1;
            i += next;
            if (i + 1 < _source.Length && _source[i + 1] is '{' or '%' or '#') return i;
        }

        return -1;
    }

    void Add(TokenKind kind, string text) => _tokens.Add(new(kind, text, _line));

    void AddText(string text, bool strips, bool stripsBlanks)
    {
        var line = _line;
        CountLines(text);
        if (strips)
        {
            text = TrimEnd(text);
        }
        else if (stripsBlanks)
        {
            var start = text.LastIndexOf('\n') + 1;
            if ((start > 0 || _isLineStart) && text.AsSpan(start).IndexOfAnyExcept(Spaces) < 0) text = text[..start];
        }

        if (text.Length > 0) _tokens.Add(new(TokenKind.Text, text, line));
        _isLineStart = false;
    }

    static readonly System.Buffers.SearchValues<char> Spaces = System.Buffers.SearchValues.Create(
        [.. Enumerable.Range(0, 0x10000).Select(i => (char)i).Where(Unicode.IsSpace)]);

    static string TrimEnd(string text) => text[..(text.AsSpan().LastIndexOfAnyExcept(Spaces) + 1)];

    void CountLines(ReadOnlySpan<char> text) => _line += text.Count('\n');

    int AfterSpaces(int at)
    {
        var rest = _source.AsSpan(at).IndexOfAnyExcept(Spaces);
        return rest < 0 ? _source.Length : at + rest;
    }

    bool At(string text) => string.CompareOrdinal(_source, _at, text, 0, text.Length) == 0;

    void MoveTo(int end)
    {
        CountLines(_source.AsSpan(_at..end));
        _isLineStart = end > _at && _source[end - 1] == '\n';
        _at = end;
    }

    /// <summary>Goes behind an end like <c>%}</c>, and behind the white space that goes with it.</summary>
    bool TryClose(string close, bool dropsNewline)
    {
        if (At("-" + close))
        {
            MoveTo(AfterSpaces(_at + 1 + close.Length));
            return true;
        }

        if (dropsNewline && At("+" + close))
        {
            MoveTo(_at + 1 + close.Length);
            return true;
        }

        if (!At(close)) return false;
        var end = _at + close.Length;
        MoveTo(dropsNewline && end < _source.Length && _source[end] == '\n' ? end + 1 : end);
        return true;
    }

    void SkipComment()
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0) throw Error("Missing end of comment tag");
        var sign = end > _at && _source[end - 1] is '-' or '+';
        MoveTo(sign ? end - 1 : end);
        TryClose("#}", true);
    }

    bool TryOpenRaw()
    {
        var name = AfterSpaces(_at);
        if (string.CompareOrdinal(_source, name, "raw", 0, 3) != 0) return false;
        var end = AfterSpaces(name + 3);
        var strips = end < _source.Length && _source[end] == '-';
        if (string.CompareOrdinal(_source, strips ? end + 1 : end, "%}", 0, 2) != 0) return false;
        MoveTo(strips ? AfterSpaces(end + 3) : end + 2);
        return true;
    }

    void ReadRaw()
    {
        for (var open = _at; ; open++)
        {
            open = _source.IndexOf("{%", open, StringComparison.Ordinal);
            if (open < 0) throw Error("Missing end of raw directive");
            var sign = open + 2 < _source.Length && _source[open + 2] is '-' or '+' ? _source[open + 2] : ' ';
            var name = AfterSpaces(open + (sign == ' ' ? 2 : 3));
            if (string.CompareOrdinal(_source, name, "endraw", 0, 6) != 0) continue;
            var (from, line, wasStart) = (_at, _line, _isLineStart);
            var close = AfterSpaces(name + 6);
            _at = close;
            if (!At("%}") && !At("-%}") && !At("+%}"))
            {
                _at = from;
                continue;
            }

            (_at, _line, _isLineStart) = (from, line, wasStart);
            AddText(_source[from..open], sign == '-', sign == ' ');
            _at = open;
            MoveTo(close);
            TryClose("%}", true);
            return;
        }
    }

    void ReadTag(bool isVariable)
    {
        var close = isVariable ? "}}" : "%}";
        var open = new Stack<char>();
        Add(isVariable ? TokenKind.OpenVariable : TokenKind.OpenBlock, "");
        while (true)
        {
            var line = _line;
            if (open.Count == 0 && TryClose(close, !isVariable))
            {
                _tokens.Add(new(isVariable ? TokenKind.CloseVariable : TokenKind.CloseBlock, "", line));
                return;
            }

            if (_at >= _source.Length)
            {
                var expected = isVariable ? "end of print statement" : "end of statement block";
                throw Error($"unexpected end of template, expected '{expected}'.");
            }

            if (Unicode.IsSpace(_source[_at])) MoveTo(AfterSpaces(_at));
            else ReadToken(open);
        }
    }

    void ReadToken(Stack<char> open)
    {
        var c = _source[_at];
        var end = NumberScanner.End(_source, _at, out var isFloat);
        if (end > _at)
        {
            var digits = _source[_at..end].Replace("_", "", StringComparison.Ordinal);
            Add(isFloat ? TokenKind.Float : TokenKind.Integer, digits);
        }
        else if (Unicode.IsWord(c))
        {
            for (end = _at; end < _source.Length && Unicode.IsWord(_source[end]);) end++;
            Add(TokenKind.Name, _source[_at..end].Normalize(NormalizationForm.FormKC));
        }
        else if (c is '\'' or '"')
        {
            end = StringEnd(c);
            Add(TokenKind.String, StringLiteral.Value(_source[(_at + 1)..(end - 1)], _line));
        }
        else
        {
            end = _at + Operator(open);
            Add(TokenKind.Operator, _source[_at..end]);
        }

        MoveTo(end);
    }

    int StringEnd(char quote)
    {
        for (var i = _at + 1; i < _source.Length; i++)
        {
            if (_source[i] == '\\') i++;
            else if (_source[i] == quote) return i + 1;
        }

        throw Error($"unexpected char {Repr.OfText(quote.ToString())} at {_at}");
    }

    int Operator(Stack<char> open)
    {
        var two = _at + 1 < _source.Length ? _source.Substring(_at, 2) : "";
        if (two is "//" or "**" or "==" or "!=" or ">=" or "<=") return 2;
        var c = _source[_at];
        if (!"+-/*%~[](){}><=.:|,;".Contains(c, StringComparison.Ordinal))
            throw Error($"unexpected char {Repr.OfText(c.ToString())} at {_at}");
        if (c is '(' or '[' or '{') open.Push(c switch { '(' => ')', '[' => ']', _ => '}' });
        if (c is not (')' or ']' or '}')) return 1;
        if (!open.TryPop(out var expected)) throw Error($"unexpected '{c}'");
        return c == expected ? 1 : throw Error($"unexpected '{c}', expected '{expected}'");
    }

    TemplateException Error(string text) => new("TemplateSyntaxError", text, _line);
}
