using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millrace.Server.Control;

/// <summary>How both ends of the control socket write JSON.</summary>
static class ControlJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter() },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };
}
