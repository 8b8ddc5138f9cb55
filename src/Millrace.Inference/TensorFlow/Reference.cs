using System.Globalization;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>An input of a node: <c>name</c>, <c>name:1</c>, in functions <c>name:output:0</c>; <c>^name</c> orders only.</summary>
readonly record struct Reference(string Node, string? Output, int Index, bool IsControl)
{
    /// <summary>Reads one.</summary>
    public static Reference Parse(string text)
    {
        if (text.StartsWith('^')) return new(text[1..], null, 0, IsControl: true);
        var parts = text.Split(':');
        if (parts.Length == 1) return new(text, null, 0, IsControl: false);
        if (parts.Length <= 3 && int.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var index))
            return new(parts[0], parts.Length == 3 ? parts[1] : null, index, IsControl: false);
        throw new NnException(NnErrno.InvalidEncoding, $"the GraphDef is damaged: \"{text}\" names no tensor");
    }

    /// <summary>Which of all outputs of a node it is.</summary>
    public int Place(string op) => Index + (Output is null ? 0 : First(op, Output));

    // The outputs that have names of their own; the others are one list, or one output.
    static int First(string op, string output) => (op, output) switch
    {
        ("TopKV2" or "TopK", "indices") => 1,
        ("Switch", "output_true") => 1,
        ("Merge", "value_index") => 1,
        ("NonMaxSuppressionV4", "valid_outputs") => 1,
        (_, "batch_mean") => 1,
        (_, "batch_variance") => 2,
        (_, "reserve_space_1") => 3,
        (_, "reserve_space_2") => 4,
        (_, "reserve_space_3") => 5,
        _ => 0,
    };
}
