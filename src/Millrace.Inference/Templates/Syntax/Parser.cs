namespace Millrace.Inference.Templates.Syntax;

/// <summary>Parses a template's statements.</summary>
sealed class Parser
{
    readonly TokenCursor _cursor;
    readonly ExpressionParser _expressions;

    // Tags that may end the bodies we are in, innermost last; for messages.
    readonly Stack<(string Tag, string[] Ends)> _open = new();

    // Loops around the statement, up to the macro it is in.
    int _loops;

    Parser(List<Token> tokens)
    {
        _cursor = new(tokens);
        _expressions = new(_cursor);
    }

    public static IReadOnlyList<Statement> Parse(string template)
    {
        var parser = new Parser(Lexer.Read(template));
        var statements = parser.Statements();
        parser._expressions.CheckKnown(0);
        return statements;
    }

    List<Statement> Statements(params string[] ends)
    {
        using var level = Level.Enter();
        var statements = new List<Statement>();
        while (_cursor.Current.Kind != TokenKind.End)
        {
            var token = _cursor.Next();
            switch (token.Kind)
            {
                case TokenKind.Text:
                    statements.Add(new TextOutput(token.Text, token.Line));
                    break;
                case TokenKind.OpenVariable:
                    statements.Add(new Output([_expressions.ParseTuple()], token.Line));
                    _cursor.Expect(TokenKind.CloseVariable);
                    break;
                default:
                    if (_cursor.Current.Kind == TokenKind.Name && ends.Contains(_cursor.Current.Text)) return statements;
                    statements.Add(Statement());
                    _cursor.Expect(TokenKind.CloseBlock);
                    break;
            }
        }

        return ends.Length == 0 ? statements : throw _cursor.Error($"Unexpected end of template. {Wanted()}");
    }

    string Wanted()
    {
        if (_open.Count == 0) return "";
        var (tag, ends) = _open.Peek();
        return $"Jinja was looking for the following tags: {string.Join(" or ", ends.Select(end => $"'{end}'"))}."
            + $" The innermost block that needs to be closed is '{tag}'.";
    }

    /// <summary>The body of a tag up to one of its ends, which becomes the current token.</summary>
    List<Statement> Body(string tag, params string[] ends)
    {
        _cursor.Skip(":");
        _cursor.Expect(TokenKind.CloseBlock);
        _open.Push((tag, ends));
        var body = Statements(ends);
        _open.Pop();
        return body;
    }

    /// <summary>A body in which what is not known fails at once, as the reference compiles it apart.</summary>
    List<Statement> OwnBody(string tag, params string[] ends)
    {
        var mark = _expressions.UnknownCount;
        var body = Body(tag, ends);
        _expressions.CheckKnown(mark);
        return body;
    }

    Statement Statement()
    {
        if (_cursor.Current.Kind != TokenKind.Name) throw _cursor.Error("tag name expected");
        var (line, tag) = (_cursor.Line, _cursor.Current.Text);
        Func<int, Statement> parse = tag switch
        {
            "for" => For,
            "if" => If,
            "set" => Set,
            "with" => With,
            "macro" => Macro,
            "call" => CallBlock,
            "filter" => FilterBlock,
            "print" => Print,
            "block" => Block,
            "generation" => Generation,
            "autoescape" => Autoescape,
            "break" or "continue" => at => Exit(tag == "continue", at),
            "include" or "import" or "from" or "extends" => at => Unloadable(tag, at),
            _ => throw _cursor.Error($"Encountered unknown tag '{tag}'. {Wanted()}".TrimEnd()),
        };
        _cursor.Next();
        return parse(line);
    }

    For For(int line)
    {
        var target = Target(endName: "in");
        if (Binds(target, "loop"))
            throw new TemplateException("TemplateAssertionError", "Can't assign to special loop variable in for-loop target", line);
        _cursor.ExpectName("in");
        var source = _expressions.ParseTuple(withConditional: false, endName: "recursive");
        var mark = _expressions.UnknownCount;
        var test = _cursor.SkipName("if") ? _expressions.Parse() : null;
        var isRecursive = _cursor.SkipName("recursive");
        _loops++;
        var body = Body("for", "endfor", "else");
        _loops--;
        List<Statement> otherwise = [];
        if (!_cursor.SkipName("endfor"))
        {
            _cursor.Next();
            otherwise = Body("for", "endfor");
            _cursor.Next();
        }

        _expressions.CheckKnown(mark);
        return new(target, source, test, isRecursive, body, otherwise, line);
    }

    static bool Binds(Target target, string name) => target switch
    {
        NameTarget bound => bound.Name == name,
        TupleTarget tuple => tuple.Targets.Any(part => Binds(part, name)),
        _ => false,
    };

    If If(int line)
    {
        var mark = _expressions.UnknownCount;
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        List<Statement> otherwise = [];
        while (true)
        {
            var test = _expressions.ParseTuple(withConditional: false);
            branches.Add((test, Body("if", "elif", "else", "endif")));
            if (_cursor.SkipName("elif")) continue;
            if (_cursor.SkipName("else")) otherwise = Body("if", "endif");
            _cursor.ExpectName("endif");
            _expressions.Forgive(mark);
            return new(branches, otherwise, line);
        }
    }

    Statement Set(int line)
    {
        var target = Target(withFields: true);
        if (_cursor.Skip("=")) return new Set(target, _expressions.ParseTuple(), line);
        var mark = _expressions.UnknownCount;
        FilterCall? filter = null;
        while (_cursor.Current.Is("|")) filter = _expressions.Filter(filter);
        var body = Body("set", "endset");
        _cursor.Next();
        _expressions.CheckKnown(mark);
        return new SetBlock(target, filter, body, line);
    }

    With With(int line)
    {
        var assignments = new List<(Target, Expression)>();
        while (_cursor.Current.Kind != TokenKind.CloseBlock)
        {
            if (assignments.Count > 0) _cursor.Expect(",");
            var target = Target(isSingle: true);
            _cursor.Expect("=");
            assignments.Add((target, _expressions.Parse()));
        }

        var body = OwnBody("with", "endwith");
        _cursor.Next();
        return new(assignments, body, line);
    }

    MacroDefinition Macro(int line)
    {
        var name = SingleName();
        var macro = MacroBody(name, "macro", "endmacro", Parameters());
        return new MacroDefinition(macro, line);
    }

    CallBlock CallBlock(int line)
    {
        var parameters = _cursor.Current.Is("(") ? Parameters() : [];
        if (_expressions.Parse() is not Call call) throw new TemplateException("TemplateSyntaxError", "expected call", line);
        return new(call, MacroBody("caller", "call", "endcall", parameters), line);
    }

    MacroBody MacroBody(string name, string tag, string end, List<(string, Expression?)> parameters)
    {
        var (loops, outer) = (_loops, _expressions.Names);
        (_loops, _expressions.Names) = (0, []);
        var body = OwnBody(tag, end);
        _cursor.Next();
        var names = _expressions.Names;
        (_loops, _expressions.Names) = (loops, outer);
        outer.UnionWith(names);
        return new(name, parameters, body, names.Contains("caller"), names.Contains("varargs"), names.Contains("kwargs"));
    }

    List<(string Name, Expression? Default)> Parameters()
    {
        _cursor.Expect("(");
        var parameters = new List<(string Name, Expression? Default)>();
        while (!_cursor.Skip(")"))
        {
            if (parameters.Count > 0) _cursor.Expect(",");
            var name = SingleName();
            if (parameters.Exists(parameter => parameter.Name == name))
                throw new TemplateException("SyntaxError", $"duplicate argument '{name}' in function definition", _cursor.Line);
            Expression? value = null;
            if (_cursor.Skip("=")) value = _expressions.Parse();
            else if (parameters.Count > 0 && parameters[^1].Default is not null)
                throw _cursor.Error("non-default argument follows default argument");
            parameters.Add((name, value));
        }

        return parameters;
    }

    FilterBlock FilterBlock(int line)
    {
        var mark = _expressions.UnknownCount;
        var filter = _expressions.Filter(null, hasBar: false);
        while (_cursor.Current.Is("|")) filter = _expressions.Filter(filter);
        var body = Body("filter", "endfilter");
        _cursor.Next();
        _expressions.CheckKnown(mark);
        return new(filter, body, line);
    }

    Output Print(int line)
    {
        var values = new List<Expression>();
        while (_cursor.Current.Kind != TokenKind.CloseBlock)
        {
            if (values.Count > 0) _cursor.Expect(",");
            values.Add(_expressions.Parse());
        }

        return new(values, line);
    }

    Block Block(int line)
    {
        var name = _cursor.ExpectName();
        var isScoped = _cursor.SkipName("scoped");
        var loops = _loops;
        _loops = 0;
        var body = OwnBody("block", "endblock");
        _loops = loops;
        _cursor.Next();
        _cursor.SkipName(name);
        return new(name, isScoped, body, line);
    }

    Scoped Generation(int line)
    {
        var body = OwnBody("generation", "endgeneration");
        _cursor.Next();
        return new(body, line);
    }

    // Off is how chat templates are rendered; on would change what every macro and `~` gives.
    Scoped Autoescape(int line)
    {
        if (_expressions.Parse() is not Constant { Value: false })
            throw new TemplateException("TemplateSyntaxError", "autoescape can only be false in a chat template", line);
        var body = OwnBody("autoescape", "endautoescape");
        _cursor.Next();
        return new(body, line);
    }

    LoopExit Exit(bool isContinue, int line)
    {
        if (_loops > 0) return new(isContinue, line);
        throw new TemplateException("SyntaxError", isContinue ? "'continue' not properly in loop" : "'break' outside loop", line);
    }

    Refused Unloadable(string tag, int line)
    {
        while (_cursor.Current.Kind is not (TokenKind.CloseBlock or TokenKind.End)) _cursor.Next();
        return new("TypeError", $"{tag}: a chat template stands alone, there are no others to load", line);
    }

    string SingleName() => Target(isSingle: true, isName: true) is NameTarget target ? target.Name
        : throw _cursor.Error("expected a name");

    Target Target(bool withFields = false, bool isSingle = false, bool isName = false, string? endName = null)
    {
        if (isName)
        {
            var name = _cursor.ExpectName();
            return new NameTarget(name);
        }

        var targets = new List<Target>();
        var isTuple = false;
        do
        {
            if (targets.Count > 0 && EndsTargets(endName)) break;
            targets.Add(OneTarget(withFields));
            if (isSingle || !_cursor.Current.Is(",")) break;
            isTuple = true;
        }
        while (_cursor.Skip(","));

        return isTuple ? new TupleTarget(targets) : targets[0];
    }

    bool EndsTargets(string? endName) => _cursor.Current.Kind is TokenKind.CloseBlock || _cursor.Current.Is("=")
        || (endName is not null && _cursor.Current.IsName(endName));

    Target OneTarget(bool withFields)
    {
        using var level = Level.Enter();
        if (_cursor.Skip("("))
        {
            var inner = Target(withFields);
            _cursor.Expect(")");
            return inner;
        }

        if (_cursor.Current.Kind == TokenKind.CloseBlock)
            throw _cursor.Error($"Expected an expression, got '{_cursor.Current.Described}'");
        if (withFields && _cursor.Current.Kind == TokenKind.Name && _cursor.Following.Is("."))
        {
            var owner = _cursor.ExpectName();
            _cursor.Next();
            return new FieldTarget(owner, _cursor.ExpectName());
        }

        return _expressions.Primary() is NameReference name ? new NameTarget(name.Name)
            : throw _cursor.Error("can't assign to 'const'");
    }
}
