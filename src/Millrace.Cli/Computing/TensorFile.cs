using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Millrace.Nn;

namespace Millrace.Cli.Computing;

/// <summary>An input as the command line has it: a file of elements, their type, and the sizes.</summary>
/// <param name="Name">The input's name; null: the next in the model's order.</param>
sealed partial record TensorFile(string? Name, string Path, TensorType Type, ImmutableArray<long> Dimensions)
{
    static readonly Dictionary<string, TensorType> Types = Enum.GetValues<TensorType>().ToDictionary(Word);

    public static string Word(TensorType type) => type.ToString().ToLowerInvariant();

    /// <summary>Sizes as they are written: 1x3x8x8, ? for an open one.</summary>
    public static string Word(ImmutableArray<long> dimensions) => dimensions.IsDefault ? "any"
        : dimensions.IsEmpty ? "scalar"
        : string.Join('x', dimensions.Select(size => size < 0 ? "?" : size.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Reads <c>[NAME=]FILE:TYPE[:SHAPE]</c>.</summary>
    public static TensorFile Parse(string text)
    {
        var match = Shape().Match(text);
        if (!match.Success)
            throw new CommandException($"--input {text}: write FILE:TYPE:SHAPE, as in0.bin:f32:1x3x8x8, or NAME=FILE:TYPE:SHAPE");
        if (!Types.TryGetValue(match.Groups["type"].Value, out var type))
        {
            throw new CommandException(
                $"--input {text}: '{match.Groups["type"].Value}' is no type: {string.Join(", ", Types.Keys)}");
        }

        var (name, path) = Split(match.Groups["file"].Value);
        return new(name, path, type, Sizes(text, match.Groups["shape"].Value));
    }

    /// <summary>A name before a file; the equals sign may also be the file's own.</summary>
    public static (string? Name, string Path) Split(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 && !File.Exists(text) ? (text[..equals], text[(equals + 1)..]) : (null, text);
    }

    public Tensor Read()
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"--input {Path}: {e.Message}");
        }

        var expected = (long)Tensor.Count(Dimensions) * Tensor.Bytes(Type);
        return bytes.Length == expected ? new(Type, Dimensions, bytes) : throw new CommandException(
            $"--input {Path}: the file has {bytes.Length} bytes; {Word(Type)} {Word(Dimensions)} takes {expected}");
    }

    static ImmutableArray<long> Sizes(string text, string shape)
    {
        if (shape.Length == 0) return [];
        var sizes = ImmutableArray.CreateBuilder<long>();
        foreach (var word in shape.Split('x'))
        {
            if (!long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var size))
                throw new CommandException($"--input {text}: '{shape}' is no shape: write sizes with x between, as 1x3x8x8");
            sizes.Add(size);
        }

        return sizes.ToImmutable();
    }

    // From the end: names and files may have colons too.
    [GeneratedRegex(@"^(?<file>.+?):(?<type>[a-z]+[0-9]*)(?::(?<shape>[0-9x]*))?$")]
    private static partial Regex Shape();
}
