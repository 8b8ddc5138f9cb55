using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Builtins;

/// <summary>What filters look at in each element: the element itself, or a path of members in it.</summary>
static class Keys
{
    public static Func<object, object> Of(Evaluator evaluator, object? attribute, object? otherwise = null, bool foldsCase = false)
    {
        object[] parts = attribute is null or None ? []
            : PyType.Text(attribute) is { } path ? [.. path.Split('.').Select(Part)] : [attribute];
        return element =>
        {
            foreach (var part in parts)
            {
                evaluator.Budget.Step();
                element = Members.Element(element, part, evaluator.Budget);
                if (otherwise is not null and not None && element is Undefined) element = otherwise;
            }

            return foldsCase ? Folded(element, evaluator.Budget) : element;
        };
    }

    /// <summary>Several paths, with commas between them, give a list.</summary>
    public static Func<object, object> OfSeveral(Evaluator evaluator, object? attribute, bool foldsCase)
    {
        if (attribute is null || PyType.Text(attribute) is not { } paths || !paths.Contains(',', StringComparison.Ordinal))
            return Of(evaluator, attribute, null, foldsCase);
        var keys = paths.Split(',').Select(path => Of(evaluator, path, null, foldsCase)).ToArray();
        return element => new PyList([.. keys.Select(key => key(element))]);
    }

    static object Part(string part) =>
        part.Length > 0 && part.All(char.IsAsciiDigit) && Numerals.Integer(part, 10) is { } index ? index : part;

    static object Folded(object value, Budget budget)
    {
        if (PyType.Text(value) is not { } text) return value;
        budget.Make(text.Length);
        return Unicode.Lower(text);
    }
}
