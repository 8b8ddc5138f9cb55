using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Inference.Grammars;

/// <summary>A GBNF grammar as it is written, and the forms that it is written with. Equal rules are written once.</summary>
sealed class GrammarText
{
    // llama.cpp refuses to repeat more often at once.
    const int RepeatMax = 1000;
    const int Block = 500;
    const int CharsMax = 1 << 19;

    static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    readonly Dictionary<string, string> _names = [];
    readonly StringBuilder _text = new();
    int _count;

    /// <summary>A name for a rule whose body comes later.</summary>
    public string Reserve() => string.Create(CultureInfo.InvariantCulture, $"r{_count++}");

    public void Define(string name, string body)
    {
        _text.Append(name).Append(" ::= ").Append(body).Append('\n');
        if (_text.Length > CharsMax) throw new InferenceException("invalid", "the schema makes a grammar that is too large");
    }

    /// <summary>The name of a rule with this body.</summary>
    public string Rule(string body)
    {
        if (_names.TryGetValue(body, out var known)) return known;
        var name = _names[body] = Reserve();
        Define(name, body);
        return name;
    }

    /// <summary>One of them.</summary>
    public string Any(IReadOnlyList<string> bodies) => bodies.Count == 1 ? bodies[0] : Rule(string.Join(" | ", bodies));

    /// <summary>Exactly this text.</summary>
    public static string Literal(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                < ' ' => string.Create(CultureInfo.InvariantCulture, $"\\x{(int)c:X2}"),
                _ => c.ToString(),
            });
        }

        return quoted.Append('"').ToString();
    }

    /// <summary>Exactly this value, as JSON without blanks.</summary>
    public static string Literal(JsonNode? value) => Literal(value is null ? "null" : value.ToJsonString(Plain));

    /// <summary>So many times in a row; null for any number.</summary>
    public string Repeat(string body, long least, long? most)
    {
        var rule = Rule(body);
        var parts = new List<string>();
        if (least / RepeatMax is var blocks && blocks > 0)
            parts.Add($"{Rule(Times(rule, RepeatMax, RepeatMax))}{Braces(blocks, blocks)}");
        if (least % RepeatMax is var rest && rest > 0) parts.Add(Times(rule, rest, rest));
        if (most is null) parts.Add(rule + "*");
        else if (most - least is var more && more > RepeatMax) parts.Add(UpTo(rule, more.Value));
        else if (most > least) parts.Add(Times(rule, 0, most.Value - least));
        return parts.Count == 0 ? "\"\"" : string.Join(' ', parts);
    }

    // Blocks, and a rest of up to nearly two of them: every length up to the whole can be made.
    string UpTo(string rule, long most)
    {
        var blocks = Math.Min(RepeatMax, ((most + 1) / Block) - 1);
        var rest = Math.Min(RepeatMax, most - (blocks * Block));
        return $"{Rule(Times(rule, Block, Block))}{Braces(0, blocks)} {Times(rule, 0, rest)}";
    }

    static string Times(string rule, long least, long most) => rule + Braces(least, most);

    static string Braces(long least, long most) => least == most
        ? string.Create(CultureInfo.InvariantCulture, $"{{{least}}}")
        : string.Create(CultureInfo.InvariantCulture, $"{{{least},{most}}}");

    /// <summary>The grammar, beginning with this.</summary>
    public string WithRoot(string body) => $"root ::= {body}\n{_text}";
}
