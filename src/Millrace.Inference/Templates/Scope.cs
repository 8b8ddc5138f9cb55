using Millrace.Inference.Templates.Syntax;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates;

/// <summary>Names of one body: a loop's pass, a macro's call, a block. What is set here ends with it.</summary>
sealed class Scope(Scope? outer)
{
    readonly Dictionary<string, object> _names = [];

    public object? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope._names.TryGetValue(name, out var value)) return value;
        }

        return null;
    }

    Scope? Outer => outer;

    public object this[string name]
    {
        set => _names[name] = value;
    }
}

/// <summary>A macro, or the body of a call block.</summary>
sealed record Macro(MacroBody Body, Func<Arguments, object> Call);

/// <summary>The <c>self</c> of a template: its blocks by name.</summary>
sealed class Blocks
{
    public Dictionary<string, Callable> ByName { get; } = [];
}
