using System.Collections.Immutable;
using System.Globalization;

namespace Millrace.Flows.Manifests;

/// <summary>Single values of a manifest, each with the fault that names its place.</summary>
static class Reads
{
    public static YamlMap Map(YamlNode node, string what) =>
        node as YamlMap ?? throw node.At.Problem($"{what} is a map, but this is {node.Kind}");

    public static ImmutableArray<YamlNode> List(YamlNode node, string what) =>
        (node as YamlList ?? throw node.At.Problem($"'{what}' is a list, but this is {node.Kind}")).Items;

    public static YamlScalar Scalar(YamlNode node, string what) =>
        node as YamlScalar ?? throw node.At.Problem($"'{what}' is a single value, but this is {node.Kind}");

    public static string Text(YamlNode node, string what)
    {
        var scalar = Scalar(node, what);
        if (scalar.Text.Length == 0) throw scalar.At.Problem($"'{what}' is empty");
        return scalar.Text;
    }

    public static ImmutableArray<string> Texts(YamlNode node, string what) =>
        [.. List(node, what).Select(item => Text(item, what))];

    public static bool Flag(YamlNode node, string what) => Scalar(node, what) switch
    {
        { IsPlain: true, Text: "true" } => true,
        { IsPlain: true, Text: "false" } => false,
        var other => throw other.At.Problem($"'{what}' is true or false, not '{other.Text}'"),
    };

    public static long Integer(YamlNode node, string what, long min, long max)
    {
        var scalar = Scalar(node, what);
        if (!scalar.IsPlain || !TryInteger(scalar.Text, out var value))
            throw scalar.At.Problem($"'{what}' is a whole number, not '{scalar.Text}'");
        if (value < min || value > max) throw scalar.At.Problem($"'{what}' lies between {min} and {max}");
        return value;
    }

    public static bool TryInteger(string text, out long value) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    public static string Name(YamlNode node, string what)
    {
        var text = Text(node, what);
        if (!Names.IsName(text))
        {
            throw node.At.Problem(
                $"'{text}' is not a {what}: small letters, digits and '-', a letter first, 63 at most");
        }
        return text;
    }

    public static TimeSpan Duration(YamlNode node, string what, TimeSpan max)
    {
        var scalar = Scalar(node, what);
        if (!Units.TryDuration(scalar.Text, out var value))
            throw scalar.At.Problem($"'{what}' is a duration like 500ms, 60s, 10m or 2h, not '{scalar.Text}'");
        if (value <= TimeSpan.Zero || value > max)
            throw scalar.At.Problem($"'{what}' is more than 0 and at most {Units.Text(max)}");
        return value;
    }

    public static long Size(YamlNode node, string what, long min, long max)
    {
        var scalar = Scalar(node, what);
        if (!Units.TrySize(scalar.Text, out var value))
            throw scalar.At.Problem($"'{what}' is a size like 512KiB, 64MiB or 1GiB, not '{scalar.Text}'");
        if (value < min || value > max)
            throw scalar.At.Problem($"'{what}' lies between {Units.SizeText(min)} and {Units.SizeText(max)}");
        return value;
    }
}
