using System.Collections.Immutable;
using System.Text.Json;

namespace Millrace.Flows.Triggers;

/// <summary>A dotted path into a JSON object, like <c>comment.user.login</c>. It goes through objects only.</summary>
sealed record JsonPath(ImmutableArray<string> Names)
{
    public static bool TryParse(string text, out JsonPath path)
    {
        path = new JsonPath([.. text.Split('.')]);
        return text.Length is > 0 and <= 255 && path.Names.All(name => name.Length > 0 && !name.Any(IsForbidden));
    }

    static bool IsForbidden(char c) => char.IsWhiteSpace(c) || char.IsControl(c) || c is '{' or '}' or '[' or ']';

    public bool TryFind(JsonElement root, out JsonElement value)
    {
        value = root;
        foreach (var name in Names)
        {
            if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name, out var next)) return false;
            value = next;
        }
        return true;
    }

    public override string ToString() => string.Join('.', Names);
}
