using System.Numerics;
using Millrace.Inference.Templates.Formatting;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Builtins;

/// <summary>Functions that every template has.</summary>
static class Globals
{
    public static IReadOnlyDictionary<string, object> Make(Budget budget, TimeProvider clock) => new Dictionary<string, object>
    {
        ["range"] = new Callable(Range, "function"),
        ["dict"] = new Callable(arguments => DictMethods.Make(arguments, budget), "type"),
        ["namespace"] = new Callable(arguments => Namespace(arguments, budget), "type"),
        ["cycler"] = new Callable(Cycler, "type"),
        ["joiner"] = new Callable(Joiner, "type"),
        ["raise_exception"] = new Callable(arguments => throw new TemplateException(
            "TemplateError", Repr.Text(arguments.Bind("raise_exception", "message")[0]!, budget)), "function"),
        ["strftime_now"] = new Callable(arguments => Now(arguments, budget, clock), "function"),
    };

    /// <summary>Of the types among the functions only <c>dict</c> has a method.</summary>
    public static object? TypeAttribute(string name, Budget budget) =>
        name == "fromkeys" ? new Callable(arguments => DictMethods.FromKeys(arguments, budget)) : null;

    static PyRange Range(Arguments arguments)
    {
        var bound = arguments.Bind("range", "start", "stop?", "step?");
        var (start, stop) = bound[1] is null ? (BigInteger.Zero, Arguments.Integer(bound[0]!))
            : (Arguments.Integer(bound[0]!), Arguments.Integer(bound[1]!));
        var step = Arguments.Integer(bound[2], 1);
        if (step.IsZero) throw TemplateException.Value("range() arg 3 must not be zero");
        if ((step.Sign > 0 ? stop - start : start - stop) > TemplateLimits.RangeMax * BigInteger.Abs(step))
        {
            throw TemplateException.Overflow(
                $"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({TemplateLimits.RangeMax}).");
        }

        return new PyRange(start, stop, step);
    }

    static Namespace Namespace(Arguments arguments, Budget budget)
    {
        var space = new Namespace();
        foreach (var (name, value) in DictMethods.Make(arguments, budget).Entries) space.Set(name, value);
        return space;
    }

    static Cycler Cycler(Arguments arguments) => arguments.Positional.Count > 0 ? new(arguments.Positional)
        : throw new TemplateException("RuntimeError", "at least one item has to be provided");

    static Callable Joiner(Arguments arguments)
    {
        var separator = arguments.Bind("joiner", "sep?")[0] ?? ", ";
        var wasCalled = false;
        return new(_ =>
        {
            var result = wasCalled ? separator : "";
            wasCalled = true;
            return result;
        }, "Joiner");
    }

    static string Now(Arguments arguments, Budget budget, TimeProvider clock)
    {
        var format = Arguments.Text(arguments.Bind("strftime_now", "format")[0]!, "strftime()");
        budget.Make(format.Length * 16L);
        return Strftime.Format(format, clock.GetLocalNow().DateTime);
    }
}
