namespace Millrace.Inference.Grammars;

/// <summary>
/// Why llama.cpp refuses a grammar, with line and column: it says so on its own standard error alone. Asked only of grammars
/// that it refused; where it sees nothing wrong, it says nothing.
/// </summary>
sealed class GrammarFault
{
    const int DepthMax = 200;
    const int RepetitionsMax = 2000;

    readonly string _text;
    readonly Dictionary<string, int> _defined = [];
    readonly List<(string Name, int At)> _named = [];
    int _at;
    int _depth;

    GrammarFault(string text) => _text = text;

    /// <summary>The fault in one sentence; null where none is found.</summary>
    public static string? Find(string text)
    {
        var fault = new GrammarFault(text);
        try
        {
            fault.Rules();
        }
        catch (FormatException e)
        {
            return e.Message;
        }

        var missing = fault._named.Find(one => !fault._defined.ContainsKey(one.Name));
        if (missing.Name is not null) return $"{fault.Place(missing.At)}: there is no rule {missing.Name}";
        return fault._defined.ContainsKey("root") ? null : "there is no rule root, where it begins";
    }

    char Now => _at < _text.Length ? _text[_at] : '\0';

    bool IsAtEnd => _at >= _text.Length;

    string Place(int at)
    {
        var line = _text.AsSpan(0, at).Count('\n') + 1;
        return $"line {line}, column {at - _text.LastIndexOf('\n', Math.Max(0, at - 1), Math.Max(0, at))}";
    }

    FormatException Expected(string what)
    {
        var found = IsAtEnd ? "the end" : char.IsControl(Now) ? "the end of the line" : $"'{Now}'";
        return new($"{Place(_at)}: {what} is expected, not {found}");
    }

    void Rules()
    {
        Space(isNested: true);
        while (!IsAtEnd)
        {
            var at = _at;
            var name = Name();
            _defined.TryAdd(name, at);
            Space(isNested: false);
            if (!_text.AsSpan(_at).StartsWith("::=")) throw Expected("::=");
            _at += 3;
            Space(isNested: true);
            Alternatives(isNested: false);
            if (!IsAtEnd && Now is not ('\r' or '\n')) throw Expected("a part of a rule, | or the end of the line");
            Space(isNested: true);
        }
    }

    void Space(bool isNested)
    {
        while (Now is ' ' or '\t' or '#' || (isNested && Now is '\r' or '\n'))
        {
            if (Now != '#') _at++;
            else while (!IsAtEnd && Now is not ('\r' or '\n')) _at++;
        }
    }

    static bool IsOfName(char letter) => char.IsAsciiLetterOrDigit(letter) || letter == '-';

    string Name()
    {
        var from = _at;
        while (IsOfName(Now)) _at++;
        return _at > from ? _text[from.._at] : throw Expected("a rule's name (letters, digits and -)");
    }

    void Alternatives(bool isNested)
    {
        if (++_depth > DepthMax) throw new FormatException($"{Place(_at)}: groups are nested deeper than {DepthMax}");
        Sequence(isNested);
        while (Now == '|')
        {
            _at++;
            Space(isNested: true);
            Sequence(isNested);
        }

        _depth--;
    }

    void Sequence(bool isNested)
    {
        for (var hasItem = false; !IsAtEnd; hasItem = true)
        {
            if (Now is '*' or '+' or '?' or '{')
            {
                if (!hasItem) throw Expected("something to be repeated");
                if (Now == '{') Repetition(isNested);
                else _at++;
            }
            else if (!Item())
            {
                return;
            }

            Space(isNested);
        }
    }

    bool Item()
    {
        switch (Now)
        {
            case '"':
                Quoted('"');
                return true;
            case '[':
                Quoted(']');
                return true;
            case '.':
                _at++;
                return true;
            case '<' or '!':
                Token();
                return true;
            case '(':
                _at++;
                Space(isNested: true);
                Alternatives(isNested: true);
                if (Now != ')') throw Expected("a part of the group, | or )");
                _at++;
                return true;
            default:
                if (!IsOfName(Now)) return false;
                _named.Add((_text[_at..(_at + NameLength())], _at));
                _at += NameLength();
                return true;
        }
    }

    int NameLength()
    {
        var end = _at;
        while (end < _text.Length && IsOfName(_text[end])) end++;
        return end - _at;
    }

    void Quoted(char close)
    {
        var open = _at++;
        while (Now != close)
        {
            if (IsAtEnd) throw new FormatException($"{Place(open)}: what begins here has no {close}");
            if (Now == '\\') Escape();
            else _at++;
        }

        _at++;
    }

    void Escape()
    {
        _at++;
        var digits = Now switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits == 0 && Now is not ('t' or 'r' or 'n' or '\\' or '"' or '[' or ']'))
            throw Expected("one of x u U t r n \\ \" [ ] behind \\");
        _at++;
        for (var i = 0; i < digits; i++, _at++)
        {
            if (!char.IsAsciiHexDigit(Now)) throw Expected($"a hex digit ({digits} in all)");
        }
    }

    void Token()
    {
        if (Now == '!') _at++;
        if (Now != '<') throw Expected("<");
        var open = _at;
        while (Now != '>')
        {
            if (IsAtEnd) throw new FormatException($"{Place(open)}: what begins here has no >");
            _at++;
        }

        _at++;
    }

    void Repetition(bool isNested)
    {
        _at++;
        Space(isNested);
        Number();
        Space(isNested);
        if (Now == ',')
        {
            _at++;
            Space(isNested);
            if (char.IsAsciiDigit(Now)) Number();
            Space(isNested);
        }

        if (Now != '}') throw Expected("}");
        _at++;
    }

    void Number()
    {
        var from = _at;
        while (char.IsAsciiDigit(Now)) _at++;
        if (_at == from) throw Expected("a number");
        if (!int.TryParse(_text.AsSpan(from, _at - from), out var times) || times > RepetitionsMax)
            throw new FormatException($"{Place(from)}: {_text[from.._at]} repetitions are too many; {RepetitionsMax} are possible");
    }
}
