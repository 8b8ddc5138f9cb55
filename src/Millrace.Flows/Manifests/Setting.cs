using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Millrace.Flows.Manifests;

enum SettingType { String, List, Int, Bool, Duration, Size }

/// <summary>A setting as a manifest declares it.</summary>
/// <param name="Default">In the form the guest reads; null: whoever deploys must give a value.</param>
sealed record Setting(string Name, SettingType Type, JsonNode? Default, string Help);

/// <summary>
/// Settings: their declarations, and the values a guest reads as JSON. A duration is a number of milliseconds there
/// and a size a number of bytes, so that no guest needs a reader for units.
/// </summary>
static class Settings
{
    static readonly ImmutableArray<string> TypeNames = ["string", "list", "int", "bool", "duration", "size"];

    static readonly TimeSpan DurationMax = TimeSpan.FromDays(365);
    const long SizeMax = 1L << 40;

    public static ImmutableArray<Setting> Read(YamlNode? node)
    {
        if (node is null) return [];
        var settings = ImmutableArray.CreateBuilder<Setting>();
        foreach (var entry in Reads.Map(node, "'settings'").Entries)
        {
            if (!Names.IsOperation(entry.Key.Text))
            {
                throw entry.Key.At.Problem(
                    $"'{entry.Key.Text}' is not a setting's name: small letters, digits and '_', a letter first");
            }
            settings.Add(ReadSetting(entry));
        }
        return settings.ToImmutable();
    }

    static Setting ReadSetting(YamlEntry entry)
    {
        var name = entry.Key.Text;
        var fields = new Fields(entry.Value, $"the setting '{name}'");
        var typeNode = fields.Required("type");
        var type = TypeNames.IndexOf(Reads.Text(typeNode, "type"));
        if (type < 0) throw typeNode.At.Problem($"a setting's type is one of {string.Join(", ", TypeNames)}");
        var written = fields.Optional("default");
        var help = fields.Text("help") ?? "";
        fields.RefuseOthers();
        var standard = written is null ? null : Value(written, (SettingType)type, name);
        return new Setting(name, (SettingType)type, standard, help);
    }

    static JsonNode Value(YamlNode node, SettingType type, string name) => type switch
    {
        SettingType.String => JsonValue.Create(Reads.Scalar(node, name).Text),
        SettingType.List => new JsonArray([.. Reads.List(node, name).Select(
            item => (JsonNode)JsonValue.Create(Reads.Scalar(item, name).Text))]),
        SettingType.Int => JsonValue.Create(Reads.Integer(node, name, long.MinValue, long.MaxValue)),
        SettingType.Bool => JsonValue.Create(Reads.Flag(node, name)),
        SettingType.Duration => JsonValue.Create((long)Reads.Duration(node, name, DurationMax).TotalMilliseconds),
        _ => JsonValue.Create(Reads.Size(node, name, 0, SizeMax)),
    };

    /// <summary>The values in force: what was given over the defaults.</summary>
    /// <param name="source">For messages.</param>
    public static JsonObject Apply(ImmutableArray<Setting> declared, JsonObject? given, string source)
    {
        var values = new JsonObject();
        foreach (var setting in declared)
        {
            var value = given?[setting.Name] is { } written ? Convert(written, setting, source) : setting.Default;
            if (value is null)
            {
                throw new ManifestException(
                    source, 0, 0, $"the setting '{setting.Name}' has no default; give it a value");
            }
            values[setting.Name] = value.DeepClone();
        }
        foreach (var (name, _) in given ?? [])
        {
            if (declared.Any(setting => setting.Name == name)) continue;
            var known = declared.IsEmpty
                ? "there are none" : "known are " + string.Join(", ", declared.Select(s => s.Name));
            throw new ManifestException(source, 0, 0, $"unknown setting '{name}'; {known}");
        }
        return values;
    }

    /// <summary>
    /// A given value in the guest's form. Text is accepted for every type, as a command line has nothing else; a list
    /// is then split at commas.
    /// </summary>
    static JsonNode Convert(JsonNode given, Setting setting, string source)
    {
        var text = given is JsonValue single && single.TryGetValue<string>(out var written) ? written : null;
        JsonNode? value = setting.Type switch
        {
            SettingType.String => text is null ? null : JsonValue.Create(text),
            SettingType.List when text is not null => new JsonArray([.. text
                .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(item => (JsonNode)JsonValue.Create(item))]),
            SettingType.List => given is JsonArray list && list.All(item => IsText(item)) ? given.DeepClone() : null,
            SettingType.Bool => text is "true" or "false" ? JsonValue.Create(text == "true")
                : given is JsonValue flag && flag.TryGetValue<bool>(out var yes) ? JsonValue.Create(yes) : null,
            SettingType.Int => text is null ? Whole(given)
                : Reads.TryInteger(text, out var n) ? JsonValue.Create(n) : null,
            SettingType.Duration => text is null ? Whole(given)
                : Units.TryDuration(text, out var time) && time <= DurationMax
                    ? JsonValue.Create((long)time.TotalMilliseconds) : null,
            _ => text is null ? Whole(given)
                : Units.TrySize(text, out var size) && size <= SizeMax ? JsonValue.Create(size) : null,
        };
        return value ?? throw new ManifestException(source, 0, 0,
            $"the setting '{setting.Name}' is a {TypeNames[(int)setting.Type]}, which {given.ToJsonString()} is not");
    }

    static bool IsText(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out _);

    static JsonValue? Whole(JsonNode given) =>
        given is JsonValue value && value.TryGetValue<long>(out var number) ? JsonValue.Create(number) : null;
}
