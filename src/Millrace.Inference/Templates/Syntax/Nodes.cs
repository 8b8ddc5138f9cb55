namespace Millrace.Inference.Templates.Syntax;

/// <summary>An expression and its line.</summary>
abstract record Expression(int Line);

sealed record Constant(object Value, int Line) : Expression(Line);

sealed record NameReference(string Name, int Line) : Expression(Line);

sealed record ListLiteral(IReadOnlyList<Expression> Elements, int Line) : Expression(Line);

sealed record TupleLiteral(IReadOnlyList<Expression> Elements, int Line) : Expression(Line);

sealed record DictLiteral(IReadOnlyList<(Expression Key, Expression Value)> Entries, int Line) : Expression(Line);

/// <summary><c>owner.name</c></summary>
sealed record Attribute(Expression Owner, string Name, int Line) : Expression(Line);

/// <summary><c>owner[key]</c></summary>
sealed record Subscript(Expression Owner, Expression Key, int Line) : Expression(Line);

/// <summary><c>start:stop:step</c> in a subscript.</summary>
sealed record SliceLiteral(Expression? Start, Expression? Stop, Expression? Step, int Line) : Expression(Line);

sealed record Call(Expression Function, CallArguments Arguments, int Line) : Expression(Line);

/// <summary>An argument: positional, named, <c>*</c> or <c>**</c>.</summary>
sealed record CallArguments(
    IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named, Expression? Star, Expression? StarStar)
{
    public static readonly CallArguments None = new([], [], null, null);
}

/// <summary>A filter; without a value in <c>{% filter %}</c> and <c>{% set x | f %}</c>.</summary>
sealed record FilterCall(Expression? Value, string Name, CallArguments Arguments, int Line) : Expression(Line);

sealed record TestCall(Expression Value, string Name, CallArguments Arguments, int Line) : Expression(Line);

sealed record Unary(string Operator, Expression Operand, int Line) : Expression(Line);

/// <summary>Operators of one precedence, from left to right. A chain of any length is one node: it costs no depth.</summary>
sealed record Chain(Expression First, IReadOnlyList<(string Operator, Expression Operand)> Rest, int Line) : Expression(Line);

/// <summary>Comparisons, each between neighbours.</summary>
sealed record Comparison(Expression First, IReadOnlyList<(string Operator, Expression Operand)> Rest, int Line) : Expression(Line);

/// <summary><c>and</c> or <c>or</c>.</summary>
sealed record Logic(bool IsAnd, IReadOnlyList<Expression> Operands, int Line) : Expression(Line);

/// <summary><c>~</c></summary>
sealed record Concatenation(IReadOnlyList<Expression> Operands, int Line) : Expression(Line);

sealed record Conditional(Expression Test, Expression Then, Expression? Else, int Line) : Expression(Line);

/// <summary>What is assigned to: a name, a namespace's field, or a tuple of targets.</summary>
abstract record Target;

sealed record NameTarget(string Name) : Target;

sealed record FieldTarget(string Namespace, string Field) : Target;

sealed record TupleTarget(IReadOnlyList<Target> Targets) : Target;

/// <summary>A statement and its line.</summary>
abstract record Statement(int Line);

sealed record TextOutput(string Text, int Line) : Statement(Line);

sealed record Output(IReadOnlyList<Expression> Values, int Line) : Statement(Line);

sealed record If(IReadOnlyList<(Expression Test, IReadOnlyList<Statement> Body)> Branches, IReadOnlyList<Statement> Else, int Line)
    : Statement(Line);

sealed record For(
    Target Target, Expression Source, Expression? Test, bool IsRecursive,
    IReadOnlyList<Statement> Body, IReadOnlyList<Statement> Else, int Line) : Statement(Line);

sealed record LoopExit(bool IsContinue, int Line) : Statement(Line);

sealed record Set(Target Target, Expression Value, int Line) : Statement(Line);

sealed record SetBlock(Target Target, FilterCall? Filter, IReadOnlyList<Statement> Body, int Line) : Statement(Line);

sealed record With(IReadOnlyList<(Target Target, Expression Value)> Assignments, IReadOnlyList<Statement> Body, int Line)
    : Statement(Line);

/// <summary>A body with names of its own: <c>{% generation %}</c>.</summary>
sealed record Scoped(IReadOnlyList<Statement> Body, int Line) : Statement(Line);

sealed record FilterBlock(FilterCall Filter, IReadOnlyList<Statement> Body, int Line) : Statement(Line);

/// <summary>Parameters and body of a macro or a call block; which of the three special names the body uses.</summary>
sealed record MacroBody(
    string Name, IReadOnlyList<(string Name, Expression? Default)> Parameters, IReadOnlyList<Statement> Body,
    bool UsesCaller, bool UsesVarargs, bool UsesKwargs);

sealed record MacroDefinition(MacroBody Macro, int Line) : Statement(Line);

sealed record CallBlock(Call Call, MacroBody Caller, int Line) : Statement(Line);

sealed record Block(string Name, bool IsScoped, IReadOnlyList<Statement> Body, int Line) : Statement(Line);

/// <summary>A statement that the reference knows and refuses when it is reached.</summary>
sealed record Refused(string Kind, string Text, int Line) : Statement(Line);
