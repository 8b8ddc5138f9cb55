using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Flows;

/// <summary>Whether a model passed <c>models check</c>.</summary>
/// <param name="Passed">Whether its prose may be posted.</param>
/// <param name="Reason">One sentence when it did not pass; empty when it did.</param>
public sealed record ModelVerdict(bool Passed, string Reason);

/// <summary>What <c>models check</c> found, by file hash or by host and name; a file in the data folder.</summary>
public sealed class ModelVerdicts
{
    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    readonly Lock _lock = new();
    readonly string _path;

    /// <summary>The verdicts of a data folder.</summary>
    public ModelVerdicts(string dataFolder) => _path = Path.Combine(dataFolder, "models.json");

    /// <summary>Names a model behind a connection.</summary>
    /// <param name="baseUrl">The connection's; may be empty.</param>
    /// <param name="integration">Stands for the host when there is no base URL.</param>
    /// <param name="model">The model's name there.</param>
    public static string KeyOf(string baseUrl, string integration, string model) =>
        $"{(baseUrl.Length > 0 ? new Uri(baseUrl).Authority : integration)} {model}";

    /// <summary>What was found for it; null when it was not checked.</summary>
    public ModelVerdict? Find(string key)
    {
        lock (_lock)
        {
            return Read()[key] is JsonObject verdict
                ? new ModelVerdict((bool?)verdict["passed"] ?? false, (string?)verdict["reason"] ?? "")
                : null;
        }
    }

    /// <summary>Remembers it.</summary>
    public void Set(string key, ModelVerdict verdict)
    {
        lock (_lock)
        {
            var all = Read();
            all[key] = new JsonObject { ["passed"] = verdict.Passed, ["reason"] = verdict.Reason };
            var temporary = _path + ".new";
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(all, Indented));
            File.Move(temporary, _path, overwrite: true);
        }
    }

    /// <summary>A file that is missing or broken holds no verdicts: the models are then checked again.</summary>
    JsonObject Read()
    {
        try
        {
            return File.Exists(_path) && JsonNode.Parse(File.ReadAllBytes(_path)) is JsonObject all ? all : [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException)
        {
            return [];
        }
    }
}
