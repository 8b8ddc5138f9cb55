using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Inference.Grammars;

/// <summary>
/// A JSON Schema as grammar. What the grammar lets through meets the schema; where the schema leaves the form open, the
/// grammar takes a part of it (declared properties in their order, no blanks but after colons and commas). A keyword that
/// cannot be kept is refused with its place.
/// </summary>
sealed class SchemaGrammar
{
    const int DepthMax = 64;
    const string Colon = "\":\" \" \"?";
    const string Comma = "\",\" \" \"?";

    static readonly string[] Types = ["object", "array", "string", "number", "boolean", "null"];

    readonly GrammarText _grammar;
    readonly SchemaMerge _merge;
    readonly SchemaReach _reach;

    // By a schema's text when it is merged: its body, and while that is being written, a name where it is needed already.
    readonly Dictionary<string, string?> _bodies = [];
    readonly Dictionary<string, string?> _open = [];
    readonly HashSet<string> _direct = [];
    int _depth;

    // The innermost place of the last part that nothing meets.
    string _unmet = "";

    SchemaGrammar(GrammarText grammar, JsonNode? document)
    {
        (_grammar, _merge) = (grammar, new(document));
        _reach = new(_merge);
    }

    /// <summary>The grammar of a schema.</summary>
    /// <exception cref="InferenceException">No JSON, a keyword that cannot be kept, or a schema that nothing meets.</exception>
    public static string Of(string schema)
    {
        var grammar = new GrammarText();
        try
        {
            return grammar.WithRoot(Body(grammar, Parse(schema, "the schema"), "#"));
        }
        catch (InferenceException e)
        {
            throw new InferenceException(e.Type, e.Message) { IsOfFormat = true };
        }
    }

    /// <summary>The grammar of any JSON object.</summary>
    public static string AnyObject => Of("""{"type":"object"}""");

    /// <summary>A schema inside of a larger grammar.</summary>
    public static string Body(GrammarText grammar, JsonNode? schema, string place)
    {
        var writer = new SchemaGrammar(grammar, schema);
        return writer.Visit(schema, place) ?? throw new InferenceException(
            "invalid", $"{writer._unmet}: nothing can meet the schema{(writer._unmet == place ? "" : " here")}");
    }

    /// <exception cref="InferenceException">The text is no JSON.</exception>
    public static JsonNode? Parse(string json, string what)
    {
        try
        {
            return JsonNode.Parse(json, null, new() { AllowDuplicateProperties = false });
        }
        catch (JsonException e)
        {
            throw new InferenceException("invalid", $"{what} is no JSON: {e.Message}");
        }
    }

    // Null where nothing meets the schema.
    string? Visit(JsonNode? schema, string place)
    {
        var body = Written(schema, place);
        if (body is null && !_unmet.StartsWith(place, StringComparison.Ordinal)) _unmet = place;
        return body;
    }

    string? Written(JsonNode? schema, string place)
    {
        if (++_depth > DepthMax) throw new InferenceException("invalid", $"{place}: the schema is nested deeper than {DepthMax}");
        try
        {
            if (!_reach.CanBeMet(schema, place)) return null;
            if (schema is JsonValue value && value.TryGetValue<bool>(out var isAny)) return isAny ? AnyValue() : null;
            return Once(_merge.Of(schema, place), place);
        }
        finally
        {
            _depth--;
        }
    }

    // However many ways lead to a schema, it is written once. One that refers to itself becomes a rule that does.
    string? Once(JsonObject schema, string place)
    {
        var key = schema.ToJsonString();
        if (_bodies.TryGetValue(key, out var known)) return known;
        if (_direct.Contains(key)) throw new InferenceException("invalid", $"{place}: the schema is nothing but a reference to itself");
        if (_open.TryGetValue(key, out var name)) return _open[key] = name ?? _grammar.Reserve();
        _open[key] = null;
        _direct.Add(key);
        var body = Merged(schema, place);
        _direct.Remove(key);
        if (!_open.Remove(key, out name) || name is null) return _bodies[key] = body;
        _grammar.Define(name, body ?? "\"\"");
        return _bodies[key] = body is null ? null : name;
    }

    string? Merged(JsonObject schema, string place)
    {
        SchemaKeywords.Check(schema, place);
        if (schema["anyOf"] is JsonArray any) return Alternatives(schema, any, "anyOf", place);
        if (schema["oneOf"] is JsonArray one) return Alternatives(schema, one, "oneOf", place);
        if (schema.ContainsKey("const")) return Values(schema, [schema["const"]], place);
        if (schema["enum"] is JsonArray values) return Values(schema, values, place);
        var parts = SchemaKeywords.TypesOf(schema, place).Select(type => Typed(type, schema, place)).OfType<string>().ToList();
        return parts.Count == 0 ? null : _grammar.Any(parts);
    }

    string? Alternatives(JsonObject schema, JsonArray choices, string keyword, string place)
    {
        var rest = (JsonObject)schema.DeepClone();
        rest.Remove(keyword);
        var isClosed = rest.Remove("unevaluatedProperties");
        if (keyword == "oneOf")
            SchemaKeywords.CheckDistinct(choices.Select((choice, i) => _merge.Of(choice, $"{place}/oneOf/{i}")), place);
        var parts = new List<string>();
        for (var i = 0; i < choices.Count; i++)
        {
            var at = string.Create(CultureInfo.InvariantCulture, $"{place}/{keyword}/{i}");
            var choice = rest.Count == 0 && !isClosed ? choices[i] : SchemaMerge.All(rest, choices[i]);
            if (isClosed) choice!["unevaluatedProperties"] = false;
            if (Visit(choice, at) is { } part) parts.Add(part);
        }

        return parts.Count == 0 ? null : _grammar.Any([.. parts.Distinct()]);
    }

    string? Values(JsonObject schema, IEnumerable<JsonNode?> values, string place)
    {
        var types = SchemaKeywords.TypesOf(schema, place);
        if (SchemaKeywords.Bounds.FirstOrDefault(schema.ContainsKey) is { } bound)
            throw SchemaKeywords.Refused($"{place}/{bound}", "beside enum or const");
        var fitting = values.Where(value => types.Any(type => SchemaKeywords.IsOf(value, type))).Select(GrammarText.Literal).ToList();
        return fitting.Count == 0 ? null : _grammar.Any(fitting);
    }

    string? Typed(string type, JsonObject schema, string place) => type switch
    {
        "object" => Object(schema, place),
        "array" => Array(schema, place),
        "string" => Text(schema, place),
        "integer" or "number" => Number(schema, type == "integer", place),
        "boolean" => _grammar.Rule("\"true\" | \"false\""),
        _ => "\"null\"",
    };

    string AnyValue()
    {
        var types = new JsonArray([.. Types.Select(static type => (JsonNode)type)]);
        return Once(new() { ["type"] = types }, "#")!;
    }

    string? Object(JsonObject schema, string place)
    {
        var direct = Inside();
        try
        {
            var properties = schema["properties"] as JsonObject ?? [];
            var required = (schema["required"] as JsonArray ?? []).Select(static name => name!.GetValue<string>()).ToHashSet();
            // No part is left that could know of further properties: all are merged.
            var additional = schema.ContainsKey("additionalProperties") ? schema["additionalProperties"]
                : !schema.ContainsKey("unevaluatedProperties");
            var (least, most) = (Bound(schema, "minProperties", place) ?? 0, Bound(schema, "maxProperties", place));
            if (properties.Count == 0 && required.Count == 0) return Map(additional, least, most, place);
            var members = new List<(string Member, bool IsRequired)>();
            foreach (var (name, value) in properties.Concat(required.Where(name => !properties.ContainsKey(name))
                .Select(name => KeyValuePair.Create(name, additional))))
            {
                var isRequired = required.Contains(name);
                if (Visit(value, $"{place}/properties/{name}") is { } body)
                    members.Add(($"{GrammarText.Literal((JsonNode)name)} {Colon} {body}", isRequired));
                else if (isRequired) return null;
            }

            if (least > required.Count) throw SchemaKeywords.Refused($"{place}/minProperties", "beyond the required ones");
            if (most < required.Count) return null;
            // Without room for all, the optional ones are left out.
            if (most < members.Count) members.RemoveAll(static member => !member.IsRequired);
            return _grammar.Rule($"\"{{\" {Members(members)} \"}}\"");
        }
        finally
        {
            Outside(direct);
        }
    }

    // From the last one on: what may come behind another member, and what where there is none before.
    string Members(List<(string Member, bool IsRequired)> members)
    {
        var (next, first) = ("\"\"", "\"\"");
        var firstRequired = members.FindIndex(static member => member.IsRequired);
        for (var i = members.Count - 1; i >= 0; i--)
        {
            var (member, isRequired) = members[i];
            if (isRequired) first = $"{member} {next}";
            else if (firstRequired < 0 || i < firstRequired) first = _grammar.Rule($"{member} {next} | {first}");
            next = _grammar.Rule(isRequired ? $"{Comma} {member} {next}" : $"({Comma} {member})? {next}");
        }

        return first;
    }

    string? Map(JsonNode? value, long least, long? most, string place)
    {
        if (least > most) return null;
        if (Visit(value, $"{place}/additionalProperties") is not { } body) return least == 0 ? "\"{}\"" : null;
        var key = _grammar.Rule($"\"\\\"\" {_grammar.Repeat(PatternGrammar.Character, 1, 40)} \"\\\"\"");
        return Listed("{", $"{key} {Colon} {body}", least, most, "}");
    }

    string? Array(JsonObject schema, string place)
    {
        var direct = Inside();
        try
        {
            var (least, most) = (Bound(schema, "minItems", place) ?? 0, Bound(schema, "maxItems", place));
            if (least > most) return null;
            var items = schema.ContainsKey("items") ? Visit(schema["items"], $"{place}/items") : AnyValue();
            if (schema["prefixItems"] is JsonArray { Count: > 0 } prefix) return Tuple(prefix, items, least, most, place);
            if (items is null) return least == 0 ? "\"[]\"" : null;
            return Listed("[", items, least, most, "]");
        }
        finally
        {
            Outside(direct);
        }
    }

    string? Tuple(JsonArray prefix, string? items, long least, long? most, string place)
    {
        var parts = new List<string>();
        for (var i = 0; i < prefix.Count && !(most <= i); i++)
        {
            if (Visit(prefix[i], $"{place}/prefixItems/{i}") is not { } part) break;
            parts.Add(part);
        }

        if (parts.Count < Math.Min(prefix.Count, least)) return null;
        if (parts.Count < least && items is null) return null;
        var body = string.Join($" {Comma} ", parts);
        if (items is not null && parts.Count == prefix.Count)
        {
            var next = $"{Comma} {items}";
            body += " " + _grammar.Repeat(next, Math.Max(0, least - parts.Count), most is null ? null : most - parts.Count);
        }

        return _grammar.Rule($"\"[\" {body} \"]\"");
    }

    string Listed(string open, string item, long least, long? most, string close)
    {
        if (most == 0) return $"\"{open}{close}\"";
        var first = _grammar.Rule(item);
        var more = _grammar.Repeat($"{Comma} {first}", Math.Max(0, least - 1), most - 1);
        var all = least > 0 ? $"{first} {more}" : $"({first} {more})?";
        return _grammar.Rule($"\"{open}\" {all} \"{close}\"");
    }

    string? Text(JsonObject schema, string place)
    {
        var (least, most) = (Bound(schema, "minLength", place) ?? 0, Bound(schema, "maxLength", place));
        if (least > most) return null;
        var form = schema["pattern"] is { } pattern
            ? PatternGrammar.Of(_grammar, SchemaKeywords.TextOf(pattern, $"{place}/pattern"), $"{place}/pattern")
            : schema["format"] is { } format ? SchemaKeywords.Format(SchemaKeywords.TextOf(format, $"{place}/format")) : null;
        if (form is null) return _grammar.Rule($"\"\\\"\" {_grammar.Repeat(PatternGrammar.Character, least, most)} \"\\\"\"");
        if (schema.ContainsKey("minLength")) throw SchemaKeywords.Refused($"{place}/minLength", "beside pattern or format");
        if (schema.ContainsKey("maxLength")) throw SchemaKeywords.Refused($"{place}/maxLength", "beside pattern or format");
        return _grammar.Rule($"\"\\\"\" {form} \"\\\"\"");
    }

    string? Number(JsonObject schema, bool isWhole, string place)
    {
        var (least, most) = (Limit(schema, "minimum", place), Limit(schema, "maximum", place));
        var (above, below) = (Limit(schema, "exclusiveMinimum", place), Limit(schema, "exclusiveMaximum", place));
        var (isOpenBelow, isOpenAbove) = (above >= (least ?? above), below <= (most ?? below));
        var (low, high) = (isOpenBelow ? above : least, isOpenAbove ? below : most);
        if (!isWhole) return Named(NumberRange.Numbers(low, high, isOpenBelow, isOpenAbove));
        if (isOpenBelow) low = Math.Floor(low!.Value) + 1;
        if (isOpenAbove) high = Math.Ceiling(high!.Value) - 1;
        return Named(NumberRange.Integers(low, high));

        string? Named(string? body) => body is null ? null : _grammar.Rule(body);
    }

    static decimal? Limit(JsonObject schema, string keyword, string place)
    {
        if (schema[keyword] is not { } limit) return null;
        // Beyond what is written anyway, a bound is none.
        return limit is JsonValue value && value.GetValueKind() == JsonValueKind.Number
            ? Math.Clamp((decimal)Math.Clamp(value.GetValue<double>(), -1e27, 1e27), -1e27m, 1e27m)
            : throw SchemaKeywords.Refused($"{place}/{keyword}", "that is no number");
    }

    static long? Bound(JsonObject schema, string keyword, string place) => Limit(schema, keyword, place) switch
    {
        null => null,
        >= 0 and <= 1_000_000_000 and var bound => (long)bound,
        > 0 => 1_000_000_000,
        _ => throw SchemaKeywords.Refused($"{place}/{keyword}", "below 0"),
    };

    // Inside of an object or an array a schema may refer to itself: there is text before it.
    string[] Inside()
    {
        var direct = _direct.ToArray();
        _direct.Clear();
        return direct;
    }

    void Outside(string[] direct) => _direct.UnionWith(direct);
}
