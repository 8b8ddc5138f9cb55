using System.Numerics;
using System.Text;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Builtins;

delegate bool Test(Evaluator evaluator, object value, Arguments arguments);

/// <summary>The tests by name: what stands behind <c>is</c>.</summary>
static class Tests
{
    public static readonly IReadOnlyDictionary<string, Test> All = new Dictionary<string, Test>
    {
        ["boolean"] = Type(static value => value is bool),
        ["callable"] = Type(PyType.IsCallable),
        ["defined"] = Type(static value => value is not Undefined),
        ["undefined"] = Type(static value => value is Undefined),
        ["escaped"] = Type(static value => value is Markup),
        ["false"] = Type(static value => value is false),
        ["true"] = Type(static value => value is true),
        ["filter"] = Type(static value => PyType.Text(value) is { } name && Filters.All.ContainsKey(name)),
        ["test"] = Type(static value => PyType.Text(value) is { } name && All!.ContainsKey(name)),
        ["float"] = Type(static value => value is double),
        ["integer"] = Type(static value => value is BigInteger),
        ["number"] = Type(static value => PyType.Number(value) is not null),
        ["iterable"] = Type(static value => value is Loop || Sequences.TryIterate(value) is not null),
        ["mapping"] = Type(static value => value is PyDict),
        ["none"] = Type(static value => value is None),
        ["sequence"] = Type(static value => value is not DictView && Sequences.Count(value) is not null),
        ["string"] = Type(PyType.IsText),
        ["lower"] = static (evaluator, value, _) => IsCase(evaluator, value, Unicode.IsLower),
        ["upper"] = static (evaluator, value, _) => IsCase(evaluator, value, Unicode.IsUpper),
        ["even"] = static (evaluator, value, _) => Leaves(evaluator, value, BigInteger.One + 1, 0),
        ["odd"] = static (evaluator, value, _) => Leaves(evaluator, value, BigInteger.One + 1, 1),
        ["divisibleby"] = static (evaluator, value, arguments) => Leaves(evaluator, value, arguments.Bind("divisibleby", "num")[0]!, 0),
        ["sameas"] = static (_, value, arguments) => IsSame(value, arguments.Bind("sameas", "other")[0]!),
        ["in"] = Compared("in"),
        ["=="] = Compared("=="),
        ["eq"] = Compared("=="),
        ["equalto"] = Compared("=="),
        ["!="] = Compared("!="),
        ["ne"] = Compared("!="),
        [">"] = Compared(">"),
        ["gt"] = Compared(">"),
        ["greaterthan"] = Compared(">"),
        [">="] = Compared(">="),
        ["ge"] = Compared(">="),
        ["<"] = Compared("<"),
        ["lt"] = Compared("<"),
        ["lessthan"] = Compared("<"),
        ["<="] = Compared("<="),
        ["le"] = Compared("<="),
    };

    static Test Type(Func<object, bool> holds) => (_, value, arguments) =>
    {
        arguments.Bind("test");
        return holds(value);
    };

    static Test Compared(string op) => (evaluator, value, arguments) =>
        Operators.Holds(op, value, arguments.Bind(op, "other")[0]!, evaluator.Budget);

    static bool Leaves(Evaluator evaluator, object value, object divisor, int rest) =>
        Equality.Same(Operators.Apply("%", value, divisor, evaluator.Budget), (BigInteger)rest);

    static bool IsSame(object value, object other) => ReferenceEquals(value, other)
        || (value.GetType() == other.GetType() && value is bool or BigInteger or string && Equality.Same(value, other));

    static bool IsCase(Evaluator evaluator, object value, Func<Rune, bool> isRight)
    {
        var text = Repr.Text(value, evaluator.Budget);
        evaluator.Budget.Make(text.Length);
        return Unicode.Runes(text).Any(isRight) && Unicode.Runes(text).All(rune => !Unicode.IsCased(rune) || isRight(rune));
    }
}
