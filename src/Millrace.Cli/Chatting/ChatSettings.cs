using System.Globalization;
using Millrace.Inference;

namespace Millrace.Cli.Chatting;

/// <summary>What <c>/set</c> changes.</summary>
sealed class ChatSettings
{
    readonly SortedDictionary<string, double> _values = new(StringComparer.Ordinal)
    {
        ["temperature"] = 0.7,
        ["top_p"] = 0.95,
        ["top_k"] = 0,
        ["min_p"] = 0,
        ["repeat_penalty"] = 1,
        ["max_tokens"] = -1,
        ["seed"] = -1,
    };

    // As the model API bounds them; -1: no limit, or chance.
    static readonly Dictionary<string, (double Min, double Max, bool IsWhole)> Bounds = new()
    {
        ["temperature"] = (0, 2, false),
        ["top_p"] = (0, 1, false),
        ["top_k"] = (0, int.MaxValue, true),
        ["min_p"] = (0, 1, false),
        ["repeat_penalty"] = (0, 10, false),
        ["max_tokens"] = (-1, int.MaxValue, true),
        ["seed"] = (-1, uint.MaxValue, true),
    };

    public int MaxTokens => (int)_values["max_tokens"];

    /// <param name="chance">The seed where none is set.</param>
    public Sampling Sampling(uint chance) => new(
        _values["temperature"], _values["top_p"], _values["seed"] < 0 ? chance : (uint)_values["seed"])
    {
        TopK = (int)_values["top_k"],
        MinP = _values["min_p"],
        RepeatPenalty = _values["repeat_penalty"],
    };

    /// <summary>Null when it is set; else what is wrong.</summary>
    public string? Set(string name, string text)
    {
        if (!Bounds.TryGetValue(name, out var bounds)) return $"there is no setting {name}; there are: {string.Join(", ", _values.Keys)}";
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number);
        if (!isNumber || !(number >= bounds.Min && number <= bounds.Max) || (bounds.IsWhole && number != Math.Floor(number)))
        {
            return string.Create(CultureInfo.InvariantCulture,
                $"{name} is a {(bounds.IsWhole ? "whole " : "")}number from {bounds.Min} to {bounds.Max}");
        }

        _values[name] = number;
        return null;
    }

    public override string ToString() => string.Join("  ", _values.Select(
        value => string.Create(CultureInfo.InvariantCulture, $"{value.Key} {value.Value}")));
}
