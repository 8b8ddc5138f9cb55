using System.Text;
using Millrace.Inference.Templates.Syntax;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates;

/// <summary>Runs a template's statements once.</summary>
sealed class Renderer
{
    enum Exit
    {
        None,
        Break,
        Continue,
    }

    readonly Budget _budget;
    readonly Evaluator _evaluator;
    readonly Blocks _blocks = new();
    readonly Scope _top = new(null);

    Renderer(TemplateLimits limits, TimeProvider clock)
    {
        _budget = new(limits);
        _evaluator = new(_budget, clock);
    }

    public static string Render(
        IReadOnlyList<Statement> template, IEnumerable<KeyValuePair<string, object>> variables, TimeProvider clock,
        TemplateLimits limits)
    {
        var renderer = new Renderer(limits, clock);
        renderer._top["self"] = renderer._blocks;
        foreach (var (name, value) in variables) renderer._top[name] = value;
        renderer.Define(template);
        var output = new StringBuilder();
        renderer.Run(template, renderer._top, output);
        return output.ToString();
    }

    // Blocks are known before they are reached.
    void Define(IEnumerable<Statement> statements)
    {
        foreach (var block in statements.OfType<Block>())
            _blocks.ByName[block.Name] = new(_ => Text(block.Body, BlockScope(block, _top)));
    }

    Scope BlockScope(Block block, Scope outer)
    {
        var scope = new Scope(block.IsScoped ? outer : _top);
        scope["super"] = new Undefined($"there is no parent block called {Repr.OfText(block.Name)}.");
        return scope;
    }

    Exit Run(IReadOnlyList<Statement> statements, Scope scope, StringBuilder output)
    {
        using var level = Level.Enter();
        foreach (var statement in statements)
        {
            _budget.Step();
            try
            {
                if (Run(statement, scope, output) is var exit && exit != Exit.None) return exit;
            }
            catch (TemplateException e) when (e.Line == 0)
            {
                throw e.At(statement.Line);
            }
        }

        return Exit.None;
    }

    Exit Run(Statement statement, Scope scope, StringBuilder output)
    {
        switch (statement)
        {
            case TextOutput text:
                Write(output, text.Text);
                break;
            case Output values:
                foreach (var value in values.Values) Write(output, Repr.Text(_evaluator.Value(value, scope), _budget));
                break;
            case If choice:
                return Choose(choice, scope, output);
            case For loop:
                RunLoop(loop, _evaluator.Value(loop.Source, scope), 0, scope, output);
                break;
            case LoopExit exit:
                return exit.IsContinue ? Exit.Continue : Exit.Break;
            case Set set:
                Assign(set.Target, _evaluator.Value(set.Value, scope), scope);
                break;
            case SetBlock set:
                Assign(set.Target, Filtered(set.Filter, set.Body, scope), scope);
                break;
            case FilterBlock block:
                Write(output, Repr.Text(Filtered(block.Filter, block.Body, scope), _budget));
                break;
            case With with:
                return Run(with.Body, WithScope(with, scope), output);
            case Scoped scoped:
                return Run(scoped.Body, new(scope), output);
            case MacroDefinition definition:
                scope[definition.Macro.Name] = Define(definition.Macro, scope);
                break;
            case CallBlock call:
                Write(output, Repr.Text(Call(call, scope), _budget));
                break;
            case Block block:
                Run(block.Body, BlockScope(block, scope), output);
                break;
            case Refused refused:
                throw new TemplateException(refused.Kind, refused.Text, refused.Line);
            default:
                throw new ArgumentException("not a statement", nameof(statement));
        }

        return Exit.None;
    }

    void Write(StringBuilder output, string text)
    {
        _budget.CheckLength((long)output.Length + text.Length);
        _budget.Make(text.Length);
        output.Append(text);
    }

    string Text(IReadOnlyList<Statement> body, Scope scope)
    {
        var output = new StringBuilder();
        // The text so far would be lost with the exit, as it is in the reference; no template can mean that.
        if (Run(body, scope, output) != Exit.None)
            throw new TemplateException("TemplateRuntimeError", "a loop cannot be left from inside a block whose text is kept");
        return output.ToString();
    }

    object Filtered(FilterCall? filter, IReadOnlyList<Statement> body, Scope scope)
    {
        var inner = new Scope(scope);
        var text = Text(body, inner);
        return filter is null ? text : _evaluator.FilterBody(filter, text, inner);
    }

    Scope WithScope(With with, Scope scope)
    {
        var inner = new Scope(scope);
        foreach (var (target, value) in with.Assignments) Assign(target, _evaluator.Value(value, scope), inner);
        return inner;
    }

    Exit Choose(If choice, Scope scope, StringBuilder output)
    {
        foreach (var (test, body) in choice.Branches)
        {
            if (PyType.Truth(_evaluator.Value(test, scope))) return Run(body, scope, output);
        }

        return Run(choice.Else, scope, output);
    }

    void RunLoop(For statement, object source, int depth, Scope scope, StringBuilder output)
    {
        var elements = Sequences.Iterate(source);
        var passes = statement.Test is null ? elements : elements.Where(element => IsWanted(statement, element, scope));
        Func<object, int, string>? recurse = statement.IsRecursive ? (inner, at) => Recurse(statement, inner, at, scope) : null;
        // A filtered source has no length of its own.
        var loop = new Loop(statement.Test is null ? source : None.Value, passes, depth, recurse);
        var ran = false;
        while (loop.Next(out var element))
        {
            ran = true;
            _budget.Step();
            var pass = new Scope(scope);
            pass["loop"] = loop;
            Assign(statement.Target, element, pass);
            if (Run(statement.Body, pass, output) == Exit.Break) break;
        }

        if (!ran) Run(statement.Else, new(scope), output);
    }

    bool IsWanted(For statement, object element, Scope scope)
    {
        var pass = new Scope(scope);
        _budget.Step();
        Assign(statement.Target, element, pass);
        return PyType.Truth(_evaluator.Value(statement.Test!, pass));
    }

    string Recurse(For statement, object source, int depth, Scope scope)
    {
        _budget.Enter();
        var output = new StringBuilder();
        RunLoop(statement, source, depth, scope, output);
        _budget.Leave();
        return output.ToString();
    }

    void Assign(Target target, object value, Scope scope)
    {
        switch (target)
        {
            case NameTarget name:
                scope[name.Name] = value;
                break;
            case FieldTarget field:
                var owner = _evaluator.Named(field.Namespace, scope);
                if (owner is not Namespace fields)
                    throw new TemplateException("TemplateRuntimeError", "cannot assign attribute on non-namespace object");
                fields.Set(field.Field, value);
                break;
            case TupleTarget tuple:
                Unpack(tuple, value, scope);
                break;
        }
    }

    void Unpack(TupleTarget tuple, object value, Scope scope)
    {
        var elements = Sequences.TryIterate(value)
            ?? throw TemplateException.Type($"cannot unpack non-iterable {PyType.Name(value)} object");
        var wanted = tuple.Targets.Count;
        var found = elements.Take(wanted + 1).ToList();
        if (found.Count > wanted) throw TemplateException.Value($"too many values to unpack (expected {wanted})");
        if (found.Count < wanted)
            throw TemplateException.Value($"not enough values to unpack (expected {wanted}, got {found.Count})");
        for (var i = 0; i < wanted; i++) Assign(tuple.Targets[i], found[i], scope);
    }

    Macro Define(MacroBody body, Scope scope) => new(body, arguments => CallMacro(body, arguments, scope));

    object Call(CallBlock statement, Scope scope)
    {
        var function = _evaluator.Value(statement.Call.Function, scope);
        var arguments = _evaluator.Arguments(statement.Call.Arguments, scope);
        var caller = KeyValuePair.Create<string, object>("caller", Define(statement.Caller, scope));
        return Evaluator.Call(function, new(arguments.Positional, [.. arguments.Named, caller]));
    }

    string CallMacro(MacroBody body, Arguments arguments, Scope scope)
    {
        _budget.Enter();
        var inner = new Scope(scope);
        Bind(body, arguments, inner);
        var text = Text(body.Body, inner);
        _budget.Leave();
        return text;
    }

    void Bind(MacroBody body, Arguments arguments, Scope scope)
    {
        var named = arguments.Named.ToList();
        for (var i = 0; i < body.Parameters.Count; i++)
        {
            var (name, value) = body.Parameters[i];
            var at = named.FindIndex(argument => argument.Key == name);
            if (i < arguments.Positional.Count)
            {
                if (at >= 0) throw TemplateException.Type($"macro '{body.Name}' got multiple values for argument '{name}'");
                scope[name] = arguments.Positional[i];
            }
            else if (at >= 0)
            {
                scope[name] = named[at].Value;
                named.RemoveAt(at);
            }
            else
            {
                scope[name] = value is { } expression ? _evaluator.Value(expression, scope)
                    : new Undefined($"parameter {Repr.OfText(name)} was not provided");
            }
        }

        BindRest(body, arguments.Positional, named, scope);
    }

    static void BindRest(
        MacroBody body, IReadOnlyList<object> positional, List<KeyValuePair<string, object>> named, Scope scope)
    {
        if (body.UsesCaller)
        {
            var at = named.FindIndex(argument => argument.Key == "caller");
            scope["caller"] = at < 0 ? new Undefined("No caller defined") : named[at].Value;
            if (at >= 0) named.RemoveAt(at);
        }

        if (body.UsesKwargs)
        {
            var rest = new PyDict();
            foreach (var (key, value) in named) rest[key] = value;
            scope["kwargs"] = rest;
        }
        else if (named.Count > 0)
        {
            throw TemplateException.Type($"macro {Repr.OfText(body.Name)} takes no keyword argument {Repr.OfText(named[0].Key)}");
        }

        var count = body.Parameters.Count;
        if (body.UsesVarargs) scope["varargs"] = new PyTuple([.. positional.Skip(count)]);
        else if (positional.Count > count)
            throw TemplateException.Type($"macro {Repr.OfText(body.Name)} takes not more than {count} argument(s)");
    }
}
