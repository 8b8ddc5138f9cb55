using System.Globalization;
using Millrace.Inference.Templates.Builtins;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Syntax;

/// <summary>Parses expressions; a method for each precedence, loosest first.</summary>
sealed class ExpressionParser(TokenCursor cursor)
{
    // Filters and tests that do not exist. Inside a condition they fail when they are reached, elsewhere at once.
    readonly List<TemplateException> _unknown = [];

    /// <summary>Names that were read since the last reset; a macro takes what its body names.</summary>
    public HashSet<string> Names { get; set; } = [];

    public int UnknownCount => _unknown.Count;

    /// <summary>What was unknown since a mark is left for the moment that it is reached.</summary>
    public void Forgive(int mark) => _unknown.RemoveRange(mark, _unknown.Count - mark);

    /// <exception cref="TemplateException">A filter or test since the mark does not exist.</exception>
    public void CheckKnown(int mark)
    {
        if (_unknown.Count > mark) throw _unknown[mark];
    }

    public Expression Parse()
    {
        using var level = Level.Enter();
        var mark = UnknownCount;
        var value = Or();
        while (cursor.Current.IsName("if"))
        {
            var line = cursor.Next().Line;
            var test = Or();
            var otherwise = cursor.SkipName("else") ? Parse() : null;
            Forgive(mark);
            value = new Conditional(test, value, otherwise, line);
        }

        return value;
    }

    /// <summary>An expression, or a tuple where commas follow.</summary>
    public Expression ParseTuple(bool withConditional = true, string? endName = null, bool isBracketed = false)
    {
        var (line, elements, isTuple) = (cursor.Line, new List<Expression>(), false);
        while (true)
        {
            if (elements.Count > 0) cursor.Expect(",");
            if (EndsTuple(endName)) break;
            elements.Add(withConditional ? Parse() : Or());
            if (!cursor.Current.Is(",")) break;
            isTuple = true;
        }

        if (isTuple || (elements.Count == 0 && isBracketed)) return new TupleLiteral(elements, line);
        return elements.Count > 0 ? elements[0]
            : throw cursor.Error($"Expected an expression, got '{cursor.Current.Described}'");
    }

    bool EndsTuple(string? endName) => cursor.Current.Kind is TokenKind.CloseVariable or TokenKind.CloseBlock
        || cursor.Current.Is(")") || (endName is not null && cursor.Current.IsName(endName));

    public Expression Or() => Logic("or", false, And);

    Expression And() => Logic("and", true, Not);

    Expression Logic(string name, bool isAnd, Func<Expression> operand)
    {
        var line = cursor.Line;
        var first = operand();
        if (!cursor.Current.IsName(name)) return first;
        var mark = UnknownCount;
        var operands = new List<Expression> { first };
        while (cursor.SkipName(name)) operands.Add(operand());
        // What a constant decides is never looked at.
        if (first is Constant constant && PyType.Truth(constant.Value) != isAnd) Forgive(mark);
        return new Logic(isAnd, operands, line);
    }

    Expression Not()
    {
        using var level = Level.Enter();
        if (!cursor.Current.IsName("not")) return Compared();
        var line = cursor.Next().Line;
        return new Unary("not", Not(), line);
    }

    Expression Compared()
    {
        var line = cursor.Line;
        var first = Added();
        List<(string, Expression)>? rest = null;
        while (ComparisonOperator() is { } op) (rest ??= []).Add((op, Added()));
        return rest is null ? first : new Comparison(first, rest, line);
    }

    string? ComparisonOperator()
    {
        var token = cursor.Current;
        if (token.Kind == TokenKind.Operator && token.Text is "==" or "!=" or "<" or "<=" or ">" or ">=") return cursor.Next().Text;
        if (cursor.SkipName("in")) return "in";
        if (!token.IsName("not") || !cursor.Following.IsName("in")) return null;
        cursor.Next();
        cursor.Next();
        return "not in";
    }

    Expression Added() => Chained(Concatenated, "+", "-");

    Expression Concatenated()
    {
        var line = cursor.Line;
        var first = Multiplied();
        if (!cursor.Current.Is("~")) return first;
        var operands = new List<Expression> { first };
        while (cursor.Skip("~")) operands.Add(Multiplied());
        return new Concatenation(operands, line);
    }

    Expression Multiplied() => Chained(Raised, "*", "/", "//", "%");

    Expression Raised() => Chained(() => Signed(true), "**");

    Expression Chained(Func<Expression> operand, params ReadOnlySpan<string> operators)
    {
        var line = cursor.Line;
        var first = operand();
        List<(string, Expression)>? rest = null;
        while (cursor.Current.Kind == TokenKind.Operator && operators.Contains(cursor.Current.Text))
            (rest ??= []).Add((cursor.Next().Text, operand()));
        return rest is null ? first : new Chain(first, rest, line);
    }

    Expression Signed(bool withFilter)
    {
        using var level = Level.Enter();
        var line = cursor.Line;
        Expression value;
        if (cursor.Skip("-")) value = new Unary("-", Signed(false), line);
        else if (cursor.Skip("+")) value = new Unary("+", Signed(false), line);
        else value = Primary();
        value = Postfixed(value);
        return withFilter ? Filtered(value) : value;
    }

    public Expression Primary()
    {
        var token = cursor.Current;
        switch (token.Kind)
        {
            case TokenKind.Name:
                cursor.Next();
                return ConstantOf(token.Text) is { } constant ? new Constant(constant, token.Line) : Named(token);
            case TokenKind.String:
                var text = "";
                while (cursor.Current.Kind == TokenKind.String) text += cursor.Next().Text;
                return new Constant(text, token.Line);
            case TokenKind.Integer:
                return Integer(cursor.Next());
            case TokenKind.Float:
                cursor.Next();
                return new Constant(double.Parse(token.Text, CultureInfo.InvariantCulture), token.Line);
        }

        if (cursor.Skip("("))
        {
            var inner = ParseTuple(isBracketed: true);
            cursor.Expect(")");
            return inner;
        }

        if (token.Is("[")) return List();
        if (token.Is("{")) return Dict();
        throw cursor.Error($"unexpected '{token.Described}'");
    }

    NameReference Named(Token token)
    {
        Names.Add(token.Text);
        return new(token.Text, token.Line);
    }

    static Constant Integer(Token token) => new(
        Numerals.Literal(token.Text)
            ?? throw new TemplateException("TemplateSyntaxError", "a number has too many digits", token.Line), token.Line);

    static object? ConstantOf(string name) => name switch
    {
        "true" or "True" => true,
        "false" or "False" => false,
        "none" or "None" => None.Value,
        _ => null,
    };

    ListLiteral List()
    {
        var line = cursor.Next().Line;
        var elements = new List<Expression>();
        while (!cursor.Skip("]"))
        {
            if (elements.Count > 0) cursor.Expect(",");
            if (cursor.Skip("]")) break;
            elements.Add(Parse());
        }

        return new(elements, line);
    }

    DictLiteral Dict()
    {
        var line = cursor.Next().Line;
        var entries = new List<(Expression, Expression)>();
        while (!cursor.Skip("}"))
        {
            if (entries.Count > 0) cursor.Expect(",");
            if (cursor.Skip("}")) break;
            var key = Parse();
            cursor.Expect(":");
            entries.Add((key, Parse()));
        }

        return new(entries, line);
    }

    public Expression Postfixed(Expression value)
    {
        while (true)
        {
            var token = cursor.Current;
            if (token.Is(".")) value = Member(value);
            else if (token.Is("[")) value = Subscripted(value);
            else if (token.Is("(")) value = new Call(value, Arguments(), token.Line);
            else return value;
        }
    }

    Expression Filtered(Expression value)
    {
        while (true)
        {
            var token = cursor.Current;
            if (token.Is("|")) value = Filter(value);
            else if (token.IsName("is")) value = Test(value);
            // A call may stand behind a filter or test too.
            else if (token.Is("(")) value = new Call(value, Arguments(), token.Line);
            else return value;
        }
    }

    Expression Member(Expression owner)
    {
        cursor.Next();
        var token = cursor.Next();
        return token.Kind switch
        {
            TokenKind.Name => new Attribute(owner, token.Text, token.Line),
            TokenKind.Integer => new Subscript(owner, Integer(token), token.Line),
            _ => throw new TemplateException("TemplateSyntaxError", "expected name or number", token.Line),
        };
    }

    Subscript Subscripted(Expression owner)
    {
        var line = cursor.Next().Line;
        var keys = new List<Expression>();
        while (!cursor.Current.Is("]"))
        {
            if (keys.Count > 0) cursor.Expect(",");
            keys.Add(Key());
        }

        cursor.Expect("]");
        return keys.Count switch
        {
            0 => throw cursor.Error("Expected an expression, got ']'"),
            1 => new(owner, keys[0], line),
            _ => new(owner, new TupleLiteral(keys, line), line),
        };
    }

    Expression Key()
    {
        var line = cursor.Line;
        Expression? start = null;
        if (!cursor.Current.Is(":"))
        {
            start = Parse();
            if (!cursor.Current.Is(":")) return start;
        }

        cursor.Expect(":");
        var stop = Bound();
        return new SliceLiteral(start, stop, cursor.Skip(":") ? Bound() : null, line);

        Expression? Bound() => cursor.Current.Is(":") || cursor.Current.Is("]") || cursor.Current.Is(",") ? null : Parse();
    }

    public CallArguments Arguments()
    {
        cursor.Expect("(");
        var positional = new List<Expression>();
        var named = new List<(string Name, Expression)>();
        Expression? star = null, starStar = null;
        for (var isFirst = true; !cursor.Current.Is(")"); isFirst = false)
        {
            if (!isFirst) cursor.Expect(",");
            if (cursor.Current.Is(")")) break;
            if (cursor.Current.Is("*") && star is null && starStar is null)
            {
                cursor.Next();
                star = Parse();
            }
            else if (cursor.Current.Is("**") && starStar is null)
            {
                cursor.Next();
                starStar = Parse();
            }
            else if (cursor.Current.Kind == TokenKind.Name && cursor.Following.Is("=") && starStar is null)
            {
                var name = cursor.Next().Text;
                cursor.Next();
                if (named.Exists(argument => argument.Name == name))
                    throw new TemplateException("SyntaxError", $"keyword argument repeated: {name}", cursor.Line);
                named.Add((name, Parse()));
            }
            else if (named.Count == 0 && star is null && starStar is null)
            {
                positional.Add(Parse());
            }
            else
            {
                throw cursor.Error("invalid syntax for function call expression");
            }
        }

        cursor.Expect(")");
        return new(positional, named, star, starStar);
    }

    /// <summary><c>| name(…)</c>; the bar is there unless the filter begins a statement.</summary>
    public FilterCall Filter(Expression? value, bool hasBar = true)
    {
        if (hasBar) cursor.Expect("|");
        var line = cursor.Line;
        var name = DottedName();
        if (!Filters.All.ContainsKey(name)) _unknown.Add(new("TemplateAssertionError", $"No filter named {Repr.OfText(name)}.", line));
        return new(value, name, cursor.Current.Is("(") ? Arguments() : CallArguments.None, line);
    }

    string DottedName()
    {
        var name = cursor.ExpectName();
        while (cursor.Skip(".")) name += "." + cursor.ExpectName();
        return name;
    }

    Expression Test(Expression value)
    {
        var line = cursor.Next().Line;
        var isNegated = cursor.SkipName("not");
        var name = DottedName();
        if (!Tests.All.ContainsKey(name)) _unknown.Add(new("TemplateAssertionError", $"No test named {Repr.OfText(name)}.", line));
        var test = new TestCall(value, name, TestArguments(), line);
        return isNegated ? new Unary("not", test, line) : test;
    }

    CallArguments TestArguments()
    {
        var token = cursor.Current;
        if (token.Is("(")) return Arguments();
        var begins = token.Kind is TokenKind.Name or TokenKind.String or TokenKind.Integer or TokenKind.Float
            || token.Is("[") || token.Is("{");
        if (!begins || token.IsName("else") || token.IsName("or") || token.IsName("and")) return CallArguments.None;
        if (token.IsName("is")) throw cursor.Error("You cannot chain multiple tests with is");
        return new([Postfixed(Primary())], [], null, null);
    }
}
