using System.Globalization;

namespace Millrace.Inference.OpenVino;

/// <summary>Reads a layer's attributes.</summary>
static class Attributes
{
    /// <summary>A whole number that must be there.</summary>
    public static long Int(IrLayer layer, string name) =>
        Find(layer, name) is { } text ? Int(layer, name, text) : throw layer.Malformed($"{name} is missing");

    /// <summary>A whole number.</summary>
    public static long Int(IrLayer layer, string name, long otherwise) =>
        Find(layer, name) is { } text ? Int(layer, name, text) : otherwise;

    /// <summary>A number.</summary>
    public static double Float(IrLayer layer, string name, double otherwise) =>
        Find(layer, name) is { } text ? Float(layer, name, text) : otherwise;

    /// <summary>Whole numbers; null where there is no such attribute.</summary>
    public static long[]? Ints(IrLayer layer, string name) =>
        Find(layer, name) is { } text ? [.. Parts(text).Select(part => Int(layer, name, part))] : null;

    /// <summary>Numbers; null where there is no such attribute.</summary>
    public static double[]? Floats(IrLayer layer, string name) =>
        Find(layer, name) is { } text ? [.. Parts(text).Select(part => Float(layer, name, part))] : null;

    /// <summary>A text, in lower case.</summary>
    public static string Text(IrLayer layer, string name, string otherwise) =>
        Find(layer, name)?.Trim().ToLowerInvariant() ?? otherwise;

    /// <summary>Texts, in lower case; null where there is no such attribute.</summary>
    public static string[]? Texts(IrLayer layer, string name) =>
        Find(layer, name) is { } text ? [.. Parts(text.ToLowerInvariant())] : null;

    /// <summary>True or false.</summary>
    public static bool Flag(IrLayer layer, string name, bool otherwise) => Text(layer, name, otherwise ? "1" : "0") switch
    {
        "true" or "1" => true,
        "false" or "0" => false,
        var text => throw layer.Malformed($"{name} is {text}"),
    };

    static string? Find(IrLayer layer, string name) => layer.Attributes.GetValueOrDefault(name);

    static string[] Parts(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    static long Int(IrLayer layer, string name, string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite,
            CultureInfo.InvariantCulture, out var number)
            ? number : throw layer.Malformed($"{name} is {text}, which is no whole number");

    static double Float(IrLayer layer, string name, string text) => text.Trim().ToLowerInvariant() switch
    {
        "inf" or "+inf" or "infinity" => double.PositiveInfinity,
        "-inf" or "-infinity" => double.NegativeInfinity,
        "nan" or "-nan" => double.NaN,
        var number => double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value : throw layer.Malformed($"{name} is {text}, which is no number"),
    };
}
