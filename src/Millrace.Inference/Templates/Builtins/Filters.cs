using System.Numerics;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Builtins;

delegate object Filter(Evaluator evaluator, object value, Arguments arguments);

/// <summary>The filters by name.</summary>
static class Filters
{
    public static readonly IReadOnlyDictionary<string, Filter> All = new Dictionary<string, Filter>
    {
        ["abs"] = static (_, value, arguments) => NumberFilters.Absolute(value, arguments),
        ["attr"] = static (evaluator, value, arguments) => Attr(evaluator.Budget, value, arguments.Bind("attr", "name")[0]!),
        ["batch"] = SequenceFilters.Batch,
        ["capitalize"] = Text("do_capitalize", Unicode.Capitalize),
        ["center"] = TextFilters.Center,
        ["count"] = (evaluator, value, arguments) => Length(evaluator, value, arguments),
        ["d"] = Default,
        ["default"] = Default,
        ["dictsort"] = SortFilters.DictSort,
        ["e"] = Escape,
        ["escape"] = Escape,
        ["filesizeformat"] = static (_, value, arguments) => NumberFilters.FileSize(value, arguments),
        ["first"] = static (evaluator, value, _) => SequenceFilters.First(evaluator, value),
        ["float"] = static (_, value, arguments) => NumberFilters.Float(value, arguments),
        ["forceescape"] = static (evaluator, value, _) => Escaped(evaluator, value),
        ["format"] = TextFilters.Format,
        ["groupby"] = SortFilters.GroupBy,
        ["indent"] = TextFilters.Indent,
        ["int"] = static (_, value, arguments) => NumberFilters.Int(value, arguments),
        ["items"] = static (evaluator, value, _) => SequenceFilters.Pairs(evaluator, value),
        ["join"] = TextFilters.Join,
        ["last"] = static (evaluator, value, _) => SequenceFilters.Last(evaluator, value),
        ["length"] = (evaluator, value, arguments) => Length(evaluator, value, arguments),
        ["list"] = static (evaluator, value, arguments) =>
        {
            arguments.Bind("do_list");
            return new PyList(Sequences.ToList(value, evaluator.Budget));
        },
        ["lower"] = Text("do_lower", Unicode.Lower),
        ["map"] = SequenceFilters.Map,
        ["max"] = static (evaluator, value, arguments) => SortFilters.Extreme(evaluator, value, arguments, ">"),
        ["min"] = static (evaluator, value, arguments) => SortFilters.Extreme(evaluator, value, arguments, "<"),
        ["reject"] = static (evaluator, value, arguments) => SequenceFilters.Select(evaluator, value, arguments, false, false),
        ["rejectattr"] = static (evaluator, value, arguments) => SequenceFilters.Select(evaluator, value, arguments, false, true),
        ["replace"] = TextFilters.Replace,
        ["reverse"] = static (evaluator, value, _) => SequenceFilters.Reverse(evaluator, value),
        ["round"] = static (_, value, arguments) => NumberFilters.Round(value, arguments),
        ["safe"] = static (evaluator, value, _) => value is Markup ? value : new Markup(Repr.Text(value, evaluator.Budget)),
        ["select"] = static (evaluator, value, arguments) => SequenceFilters.Select(evaluator, value, arguments, true, false),
        ["selectattr"] = static (evaluator, value, arguments) => SequenceFilters.Select(evaluator, value, arguments, true, true),
        ["slice"] = SequenceFilters.Slice,
        ["sort"] = SortFilters.Sort,
        ["string"] = static (evaluator, value, _) => Soft(evaluator, value),
        ["striptags"] = static (evaluator, value, _) => TextFilters.StripTags(evaluator, value),
        ["sum"] = SequenceFilters.Sum,
        ["title"] = Text("do_title", TextFilters.Title),
        ["tojson"] = static (evaluator, value, arguments) => TextFilters.ToJson(evaluator.Budget, value, arguments),
        ["trim"] = TextFilters.Trim,
        ["truncate"] = TextFilters.Truncate,
        ["unique"] = SortFilters.Unique,
        ["upper"] = Text("do_upper", Unicode.Upper),
        ["urlencode"] = static (evaluator, value, _) => TextFilters.UrlEncode(evaluator, value),
        ["wordcount"] = static (evaluator, value, _) => TextFilters.WordCount(Repr.Text(value, evaluator.Budget)),
        ["xmlattr"] = TextFilters.XmlAttributes,
    };

    /// <summary>A Markup as it is, anything else as its text.</summary>
    public static object Soft(Evaluator evaluator, object value) => value is Markup ? value : Repr.Text(value, evaluator.Budget);

    public static string Made(Evaluator evaluator, string text) => evaluator.Budget.Made(text);

    /// <summary>A text of the same kind as the one it came from.</summary>
    public static object Like(object source, string text) => source is Markup ? new Markup(text) : text;

    static Filter Text(string name, Func<string, string> map) => (evaluator, value, arguments) =>
    {
        if (arguments.Positional.Count > 0)
            throw TemplateException.Type($"{name}() takes 1 positional argument but {arguments.Positional.Count + 1} were given");
        var text = Repr.Text(value, evaluator.Budget);
        evaluator.Budget.Make(text.Length);
        return Like(value, Made(evaluator, map(text)));
    };

    static BigInteger Length(Evaluator evaluator, object value, Arguments arguments)
    {
        arguments.Bind("length");
        evaluator.Budget.Step(1 + (PyType.Text(value)?.Length ?? 0) / 8);
        return value is Loop loop ? (BigInteger)loop.Length : Sequences.Count(value) is { } count ? (BigInteger)count
            : throw TemplateException.Type($"object of type {Repr.OfText(PyType.Name(value))} has no len()");
    }

    static object Default(Evaluator evaluator, object value, Arguments arguments)
    {
        var bound = arguments.Bind("do_default", "default_value?", "boolean?");
        var isMissing = value is Undefined || (Arguments.Flag(bound[1], false) && !PyType.Truth(value));
        return isMissing ? bound[0] ?? "" : value;
    }

    static object Escape(Evaluator evaluator, object value, Arguments arguments) =>
        value is Markup ? value : Escaped(evaluator, value);

    static Markup Escaped(Evaluator evaluator, object value) =>
        new(Made(evaluator, Markup.Escape(Repr.Text(value, evaluator.Budget))));

    static object Attr(Budget budget, object value, object name) =>
        Members.OwnAttribute(value, PyType.Text(name) ?? "", budget) ?? Undefined.Member(value, name);
}
