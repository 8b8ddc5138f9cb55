using System.Globalization;

namespace Millrace.Inference.Grammars;

/// <summary>Numbers between two bounds as grammar.</summary>
static class NumberRange
{
    // Digits that a double keeps.
    const int DigitsMax = 15;
    const decimal Most = 999_999_999_999_999m;

    /// <summary>Whole numbers from the one to the other; null where there is none.</summary>
    public static string? Integers(decimal? least, decimal? most)
    {
        var (low, high) = (Math.Ceiling(Math.Max(least ?? -Most, -Most)), Math.Floor(Math.Min(most ?? Most, Most)));
        if (low > high) return null;
        var parts = new List<string>();
        if (low < 0) parts.Add($"\"-\" ({string.Join(" | ", Naturals(Math.Max(1, -high), -low))})");
        if (high >= 0) parts.AddRange(Naturals(Math.Max(0, low), high));
        return $"({string.Join(" | ", parts)})";
    }

    /// <summary>Numbers from the one to the other, with up to 15 digits behind the point; null where there is none.</summary>
    public static string? Numbers(decimal? least, decimal? most, bool isOpenBelow, bool isOpenAbove)
    {
        var (low, high) = (Math.Max(least ?? -Most, -Most), Math.Min(most ?? Most, Most));
        if (low > high || (low == high && (isOpenBelow || isOpenAbove))) return null;
        var parts = new List<string>();
        if (Integers(isOpenBelow ? Above(low) : low, isOpenAbove ? Below(high) : high) is { } whole) parts.Add(whole);
        // k.ddd lies between k and k + 1, and below zero between -k and -(k + 1).
        var (first, last) = (Math.Max(0, Math.Ceiling(low)), Math.Floor(high) - 1);
        if (first <= last) parts.Add($"({string.Join(" | ", Naturals(first, last))}) {Fraction}");
        (first, last) = (Math.Max(0, Math.Ceiling(-high)), Math.Floor(-low) - 1);
        if (first <= last) parts.Add($"\"-\" ({string.Join(" | ", Naturals(first, last))}) {Fraction}");
        if (parts.Count == 0 && Between(low, high) is { } narrow) parts.Add(narrow);
        return parts.Count == 0 ? null : $"({string.Join(" | ", parts)})";
    }

    // At least one digit is no zero, so that open bounds hold.
    static string Fraction => "\".\" [0-9]{0,13} [1-9]";

    static decimal Above(decimal bound) => Math.Floor(bound) + 1;

    static decimal Below(decimal bound) => Math.Ceiling(bound) - 1;

    // No whole number between them, so that both have the same whole part.
    static string? Between(decimal low, decimal high)
    {
        if (low < 0 && high > 0) return null;
        var sign = high <= 0 && low < 0 ? "\"-\" " : "";
        if (sign.Length > 0) (low, high) = (-high, -low);
        var whole = Math.Floor(low);
        var scale = 1m;
        for (var digits = 1; digits <= DigitsMax; digits++)
        {
            scale *= 10;
            var (first, last) = (Math.Floor((low - whole) * scale) + 1, Math.Ceiling((high - whole) * scale) - 1);
            if (first > last) continue;
            var (from, to) = (Text(first).PadLeft(digits, '0'), Text(last).PadLeft(digits, '0'));
            return $"{sign}\"{Text(whole)}.\" ({Same(from, to)})";
        }

        return null;
    }

    static IEnumerable<string> Naturals(decimal low, decimal high)
    {
        var (from, to) = (Text(low), Text(high));
        for (var length = from.Length; length <= to.Length; length++)
        {
            var first = length == from.Length ? from : "1".PadRight(length, '0');
            var last = length == to.Length ? to : new string('9', length);
            // Zero stands alone: no number begins with it.
            if (length == 1 || first[0] != '0') yield return Same(first, last);
        }
    }

    static string Text(decimal number) => number.ToString("0", CultureInfo.InvariantCulture);

    /// <summary>Digits between two texts of the same length.</summary>
    static string Same(string from, string to)
    {
        if (from.Length == 0) return "\"\"";
        if (from.All(static c => c == '0') && to.All(static c => c == '9')) return Digits(from.Length);
        if (from[0] == to[0]) return from.Length == 1 ? $"\"{from}\"" : $"\"{from[0]}\" ({Same(from[1..], to[1..])})";
        if (from.Length == 1) return $"[{from}-{to}]";
        var (zeros, nines) = (new string('0', from.Length - 1), new string('9', from.Length - 1));
        var parts = new List<string> { $"\"{from[0]}\" ({Same(from[1..], nines)})", $"\"{to[0]}\" ({Same(zeros, to[1..])})" };
        if (to[0] - from[0] > 1) parts.Add($"[{(char)(from[0] + 1)}-{(char)(to[0] - 1)}] {Digits(zeros.Length)}");
        return string.Join(" | ", parts);
    }

    static string Digits(int count) => $"[0-9]{{{count.ToString(CultureInfo.InvariantCulture)}}}";
}
