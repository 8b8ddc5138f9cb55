using System.Numerics;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates;

/// <summary>Evaluated arguments of a call.</summary>
sealed record Arguments(IReadOnlyList<object> Positional, IReadOnlyList<KeyValuePair<string, object>> Named)
{
    public static readonly Arguments None = new([], []);

    public static Arguments Of(params IReadOnlyList<object> positional) => new(positional, []);

    public Arguments Without(int count) => new([.. Positional.Skip(count)], Named);

    public object? Find(string name) => Named.FirstOrDefault(argument => argument.Key == name).Value;

    /// <summary>Values in the order of parameters; null for one that ends with <c>?</c> and is not given.</summary>
    /// <exception cref="TemplateException">One is missing, unknown, or there are too many.</exception>
    public object?[] Bind(string function, params ReadOnlySpan<string> parameters)
    {
        var bound = new object?[parameters.Length];
        if (Positional.Count > parameters.Length)
        {
            throw TemplateException.Type(parameters.Length == 0 ? $"{function}() takes no arguments ({Positional.Count} given)"
                : $"{function}() takes {parameters.Length} positional arguments but {Positional.Count} were given");
        }

        for (var i = 0; i < Positional.Count; i++) bound[i] = Positional[i];
        foreach (var (name, value) in Named)
        {
            var at = IndexOf(parameters, name);
            if (at < 0) throw TemplateException.Type($"{function}() got an unexpected keyword argument '{name}'");
            if (bound[at] is not null) throw TemplateException.Type($"{function}() got multiple values for argument '{name}'");
            bound[at] = value;
        }

        for (var i = 0; i < parameters.Length; i++)
        {
            if (bound[i] is null && !parameters[i].EndsWith('?'))
                throw TemplateException.Type($"{function}() missing 1 required positional argument: '{parameters[i]}'");
        }

        return bound;
    }

    static int IndexOf(ReadOnlySpan<string> parameters, string name)
    {
        for (var i = 0; i < parameters.Length; i++)
        {
            if (parameters[i].TrimEnd('?') == name) return i;
        }

        return -1;
    }

    /// <summary>An integer argument; its default where it is not given.</summary>
    public static BigInteger Integer(object? value, BigInteger otherwise) => value is null ? otherwise : Integer(value);

    public static BigInteger Integer(object value) => PyType.Integer(value)
        ?? throw TemplateException.Type($"{Repr.OfText(PyType.Name(value))} object cannot be interpreted as an integer");

    /// <summary>An integer argument cut to what an int holds: lengths beyond it are refused by the budget anyway.</summary>
    public static int Int(object? value, int otherwise) =>
        (int)BigInteger.Max(int.MinValue, BigInteger.Min(int.MaxValue, Integer(value, otherwise)));

    public static bool Flag(object? value, bool otherwise) => value is null ? otherwise : PyType.Truth(value);

    public static string Text(object value, string function) => PyType.Text(value)
        ?? throw TemplateException.Type($"{function} argument must be str, not {PyType.Name(value)}");
}
