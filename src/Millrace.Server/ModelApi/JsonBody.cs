using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Millrace.Server.Gateway;

namespace Millrace.Server.ModelApi;

/// <summary>A JSON object of a request. What is wrong in it is said with its place.</summary>
/// <param name="Json">The object.</param>
/// <param name="Place">Where it stands; empty for the whole body.</param>
sealed record JsonBody(JsonElement Json, string Place = "")
{
    /// <exception cref="ApiException">It is no JSON object.</exception>
    public static async Task<JsonBody> ReadAsync(HttpContext context)
    {
        var bytes = await RequestBody.ReadAsync(context.Request, context.RequestAborted);
        try
        {
            using var document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return new(document.RootElement.Clone());
        }
        catch (JsonException e)
        {
            throw Wrong("", $"The body is not JSON: {e.Message}");
        }

        throw Wrong("", "The body is not a JSON object.");
    }

    public string PlaceOf(string name) => Place.Length == 0 ? name : $"{Place}.{name}";

    /// <summary>A member; null where it is missing or null.</summary>
    public JsonElement? Find(string name) =>
        Json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public string? Text(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => String(value, PlaceOf(name)),
        _ => throw Wrong(PlaceOf(name), "is not a string"),
    };

    public string RequiredText(string name) => Text(name) ?? throw Wrong(PlaceOf(name), "is missing");

    public bool Flag(string name) => Find(name) switch
    {
        null or { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.True } => true,
        _ => throw Wrong(PlaceOf(name), "is not true or false"),
    };

    public double Number(string name, double standard, double min, double max)
    {
        if (Find(name) is not { } value) return standard;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= min && number <= max) return number;
        throw Wrong(PlaceOf(name), string.Create(CultureInfo.InvariantCulture, $"is not a number from {min} to {max}"));
    }

    public long? Integer(string name, long min, long max)
    {
        if (Find(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= min && number <= max) return number;
        throw Wrong(PlaceOf(name), $"is not a whole number from {min} to {max}");
    }

    public JsonBody? Object(string name) => Find(name) is { } value ? AsObject(value, PlaceOf(name)) : null;

    public ImmutableArray<JsonBody> Objects(string name, int max) => Find(name) is not { } value ? []
        : [.. Array(value, name, max).Select((item, i) => AsObject(item, $"{PlaceOf(name)}[{i}]"))];

    /// <summary>One string, or an array of them.</summary>
    public ImmutableArray<string> Texts(string name, int max) => Find(name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.String } one => [String(one, PlaceOf(name))],
        { } value => [.. Array(value, name, max).Select((item, i) => item.ValueKind == JsonValueKind.String
            ? String(item, $"{PlaceOf(name)}[{i}]")
            : throw Wrong($"{PlaceOf(name)}[{i}]", "is not a string: send text, not token numbers"))],
    };

    // How many there are is asked before anything is made of them.
    JsonElement.ArrayEnumerator Array(JsonElement value, string name, int max)
    {
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(name, "is not an array", null);
        return value.GetArrayLength() <= max ? value.EnumerateArray() : throw Wrong(name, $"has more than {max} entries", null);
    }

    static JsonBody AsObject(JsonElement value, string place) =>
        value.ValueKind == JsonValueKind.Object ? new(value, place) : throw Wrong(place, "is not an object");

    static string String(JsonElement value, string place)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong(place, "has half of a surrogate pair");
        }
    }

    public ApiException Wrong(string name, string why, string? code = null) =>
        ApiException.Invalid(PlaceOf(name), $"'{PlaceOf(name)}' {why}.", code);

    static ApiException Wrong(string place, string why) =>
        ApiException.Invalid(place, place.Length == 0 ? why : $"'{place}' {why}.");
}
