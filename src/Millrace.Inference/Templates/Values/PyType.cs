using System.Numerics;

namespace Millrace.Inference.Templates.Values;

/// <summary>Names of types, as messages tell them.</summary>
static class PyType
{
    public static string Name(object value) => value switch
    {
        None => "NoneType",
        bool => "bool",
        BigInteger => "int",
        double => "float",
        string => "str",
        Markup => "Markup",
        PyList => "list",
        PyTuple => "tuple",
        PyDict => "dict",
        PyRange => "range",
        DictView view => "dict_" + view.Part,
        Generator generator => generator.Type,
        Undefined => "Undefined",
        Namespace => "TemplateNamespace",
        Callable callable => callable.Type,
        PyBytes => "bytes",
        Cycler => "Cycler",
        Macro => "Macro",
        Loop => "LoopContext",
        Blocks => "TemplateReference",
        _ => throw new ArgumentException("not a template's value", nameof(value)),
    };

    /// <summary>As a message about a missing member tells its owner.</summary>
    public static string Described(object owner) => owner switch
    {
        None => "None",
        Markup => "markupsafe.Markup object",
        Namespace => "transformers.utils.chat_template_utils.TemplateNamespace object",
        Cycler or Macro or Loop or Blocks => $"jinja2.runtime.{Name(owner)} object",
        _ => Name(owner) + " object",
    };

    public static bool IsText(object value) => value is string or Markup;

    /// <summary>The characters of a text or a Markup.</summary>
    public static string? Text(object value) => value switch
    {
        string text => text,
        Markup markup => markup.Text,
        _ => null,
    };

    public static BigInteger? Integer(object value) => value switch
    {
        BigInteger integer => integer,
        bool flag => flag ? BigInteger.One : BigInteger.Zero,
        _ => null,
    };

    public static double? Number(object value) =>
        value is double number ? number : Integer(value) is { } integer ? (double)integer : null;

    public static bool IsCallable(object value) => value is Callable or Macro or Undefined or Loop;

    public static bool Truth(object value) => value switch
    {
        bool flag => flag,
        None or Undefined => false,
        BigInteger integer => !integer.IsZero,
        double number => number != 0,
        Generator => true,
        PyBytes bytes => bytes.Bytes.Length > 0,
        _ => Sequences.Count(value) is not 0,
    };
}
