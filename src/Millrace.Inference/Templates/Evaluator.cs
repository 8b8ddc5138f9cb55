using Millrace.Inference.Templates.Builtins;
using Millrace.Inference.Templates.Syntax;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates;

/// <summary>Evaluates expressions.</summary>
sealed class Evaluator(Budget budget, TimeProvider clock)
{
    readonly IReadOnlyDictionary<string, object> _globals = Globals.Make(budget, clock);

    public Budget Budget => budget;

    public object Value(Expression expression, Scope scope)
    {
        using var level = Level.Enter();
        budget.Step();
        try
        {
            return expression switch
            {
                Constant constant => constant.Value,
                NameReference name => Named(name.Name, scope),
                Syntax.Attribute attribute => Members.Attribute(Value(attribute.Owner, scope), attribute.Name, budget),
                Subscript subscript => Element(subscript, scope),
                Call call => Call(Value(call.Function, scope), Arguments(call.Arguments, scope)),
                FilterCall filter => Filter(filter, Value(filter.Value!, scope), scope),
                TestCall test => Test(test, scope),
                Unary { Operator: "not" } not => !PyType.Truth(Value(not.Operand, scope)),
                Unary sign => Operators.Negate(sign.Operator, Value(sign.Operand, scope)),
                Chain chain => Chained(chain, scope),
                Comparison comparison => Compared(comparison, scope),
                Logic logic => Decided(logic, scope),
                Concatenation concatenation => Concatenated(concatenation, scope),
                Conditional conditional => Chosen(conditional, scope),
                ListLiteral list => new PyList(Values(list.Elements, scope)),
                TupleLiteral tuple => new PyTuple(Values(tuple.Elements, scope)),
                DictLiteral dict => Dict(dict, scope),
                SliceLiteral => throw TemplateException.Type("a slice is only known inside [ ]"),
                _ => throw new ArgumentException("not an expression", nameof(expression)),
            };
        }
        catch (TemplateException e) when (e.Line == 0)
        {
            throw e.At(expression.Line);
        }
    }

    public object Named(string name, Scope scope) => scope.Find(name) ?? _globals.GetValueOrDefault(name) ?? Undefined.Name(name);

    object[] Values(IReadOnlyList<Expression> expressions, Scope scope)
    {
        var values = new object[expressions.Count];
        for (var i = 0; i < values.Length; i++) values[i] = Value(expressions[i], scope);
        return values;
    }

    PyDict Dict(DictLiteral literal, Scope scope)
    {
        var dict = new PyDict();
        foreach (var (key, value) in literal.Entries) dict[Value(key, scope)] = Value(value, scope);
        return dict;
    }

    object Element(Subscript subscript, Scope scope)
    {
        var owner = Value(subscript.Owner, scope);
        if (subscript.Key is not SliceLiteral slice) return Members.Element(owner, Value(subscript.Key, scope), budget);
        return Sequences.Slice(owner, Bound(slice.Start), Bound(slice.Stop), Bound(slice.Step), budget);

        object Bound(Expression? bound) => bound is null ? None.Value : Value(bound, scope);
    }

    object Chained(Chain chain, Scope scope)
    {
        var value = Value(chain.First, scope);
        foreach (var (op, operand) in chain.Rest) value = Operators.Apply(op, value, Value(operand, scope), budget);
        return value;
    }

    bool Compared(Comparison comparison, Scope scope)
    {
        var left = Value(comparison.First, scope);
        foreach (var (op, operand) in comparison.Rest)
        {
            var right = Value(operand, scope);
            if (!Operators.Holds(op, left, right, budget)) return false;
            left = right;
        }

        return true;
    }

    object Decided(Logic logic, Scope scope)
    {
        object value = None.Value;
        foreach (var operand in logic.Operands)
        {
            value = Value(operand, scope);
            if (PyType.Truth(value) != logic.IsAnd) return value;
        }

        return value;
    }

    string Concatenated(Concatenation concatenation, Scope scope)
    {
        var texts = Values(concatenation.Operands, scope).Select(value => Repr.Text(value, budget)).ToArray();
        budget.Make(texts.Sum(text => (long)text.Length));
        return string.Concat(texts);
    }

    object Chosen(Conditional conditional, Scope scope)
    {
        if (PyType.Truth(Value(conditional.Test, scope))) return Value(conditional.Then, scope);
        return conditional.Else is { } otherwise ? Value(otherwise, scope) : new Undefined(
            $"the inline if-expression on line {conditional.Line} evaluated to false and no else section was defined.");
    }

    public Arguments Arguments(CallArguments arguments, Scope scope)
    {
        var positional = new List<object>(Values(arguments.Positional, scope));
        var named = arguments.Named.Select(argument => KeyValuePair.Create(argument.Name, Value(argument.Value, scope))).ToList();
        if (arguments.Star is { } star) positional.AddRange(Sequences.ToList(Value(star, scope), budget));
        if (arguments.StarStar is { } starStar)
        {
            if (Value(starStar, scope) is not PyDict dict) throw TemplateException.Type("argument after ** must be a mapping");
            foreach (var (key, value) in dict.Entries)
                named.Add(KeyValuePair.Create(PyType.Text(key) ?? throw TemplateException.Type("keywords must be strings"), value));
        }

        return new(positional, named);
    }

    public static object Call(object function, Arguments arguments) => function switch
    {
        Callable callable => callable.Call(arguments),
        Macro macro => macro.Call(arguments),
        Loop loop => loop.Call(arguments),
        Undefined missing => throw missing.Error,
        _ => throw TemplateException.Type($"{Repr.OfText(PyType.Name(function))} object is not callable"),
    };

    public object Filter(FilterCall filter, object value, Scope scope)
    {
        if (!Filters.All.TryGetValue(filter.Name, out var apply))
            throw new TemplateException("TemplateRuntimeError", $"No filter named {Repr.OfText(filter.Name)} found.", filter.Line);
        return apply(this, value, Arguments(filter.Arguments, scope));
    }

    /// <summary>Filters of a block, innermost first; the innermost has no value of its own.</summary>
    public object FilterBody(FilterCall filter, object body, Scope scope) =>
        Filter(filter, filter.Value is FilterCall inner ? FilterBody(inner, body, scope) : body, scope);

    bool Test(TestCall test, Scope scope)
    {
        if (!Tests.All.TryGetValue(test.Name, out var holds))
            throw new TemplateException("TemplateRuntimeError", $"No test named {Repr.OfText(test.Name)} found.", test.Line);
        var value = Value(test.Value, scope);
        return holds(this, value, Arguments(test.Arguments, scope));
    }
}
