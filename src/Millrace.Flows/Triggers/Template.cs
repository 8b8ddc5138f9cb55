using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Manifests;

namespace Millrace.Flows.Triggers;

/// <summary>
/// A text with places to fill: <c>{settings.name}</c>, and where events are at hand <c>{path.in.body}</c>.
/// <c>{{</c> and <c>}}</c> stand for the braces themselves.
/// </summary>
sealed class Template
{
    const string SettingsPrefix = "settings.";

    readonly ImmutableArray<Part> _parts;

    Template(ImmutableArray<Part> parts) => _parts = parts;

    /// <summary>Exactly one of the three is set.</summary>
    readonly record struct Part(string? Text, string? Setting, JsonPath? Path);

    public bool HasPaths => _parts.Any(part => part.Path is not null);

    public bool HasSettings => _parts.Any(part => part.Setting is not null);

    /// <summary>The setting's name when the text is nothing but <c>{settings.name}</c>.</summary>
    public string? WholeSetting => _parts is [{ Setting: { } name }] ? name : null;

    public static Template Read(YamlScalar scalar)
    {
        var parts = ImmutableArray.CreateBuilder<Part>();
        var literal = new StringBuilder();
        var text = scalar.Text;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is '{' or '}' && i + 1 < text.Length && text[i + 1] == c)
            {
                literal.Append(c);
                i++;
                continue;
            }
            if (c == '}') throw scalar.At.Problem("'}' without '{'; write '}}' for the brace itself");
            if (c != '{')
            {
                literal.Append(c);
                continue;
            }
            var end = text.IndexOf('}', i);
            if (end < 0) throw scalar.At.Problem("'{' without '}'; write '{{' for the brace itself");
            Flush();
            parts.Add(ReadPlace(text[(i + 1)..end], scalar.At));
            i = end;
        }
        Flush();
        return new Template(parts.ToImmutable());

        void Flush()
        {
            if (literal.Length > 0) parts.Add(new Part(literal.ToString(), null, null));
            literal.Clear();
        }
    }

    static Part ReadPlace(string name, Place at)
    {
        if (name.StartsWith(SettingsPrefix, StringComparison.Ordinal))
            return new Part(null, name[SettingsPrefix.Length..], null);
        return JsonPath.TryParse(name, out var path)
            ? new Part(null, null, path)
            : throw at.Problem($"'{{{name}}}' is no path: names with dots between, like {{pull_request.number}}");
    }

    /// <summary>Fills the settings in; there must be no paths.</summary>
    public string Render(JsonObject settings, Place at) => string.Concat(
        _parts.Select(part => part.Text ?? SettingText(settings, part.Setting!, at)));

    /// <summary>The same template with its settings filled in.</summary>
    public Template Bind(JsonObject settings, Place at) => new([.. _parts.Select(part =>
        part.Setting is { } name ? new Part(SettingText(settings, name, at), null, null) : part)]);

    /// <summary>Fills the paths in, after <see cref="Bind"/>; false when one leads to no single value.</summary>
    public bool TryRender(JsonElement? body, out string text)
    {
        var result = new StringBuilder();
        text = "";
        foreach (var part in _parts)
        {
            if (part.Text is { } literal)
            {
                result.Append(literal);
                continue;
            }
            if (body is not { } root || !part.Path!.TryFind(root, out var value)) return false;
            if (value.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null) return false;
            result.Append(value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText());
        }
        text = result.ToString();
        return true;
    }

    static string SettingText(JsonObject settings, string name, Place at) => settings[name] switch
    {
        null => throw at.Problem($"there is no setting '{name}'"),
        JsonArray => throw at.Problem($"the setting '{name}' is a list and cannot stand inside a text"),
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        var value => value.ToJsonString(),
    };
}
