using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Millrace.Flows;
using Millrace.Server;

namespace Millrace.Cli;

/// <summary>What commands share that ask the server of a data folder.</summary>
static class DataFolder
{
    static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    public static Option<string> Option(CliEnvironment environment) => new("--data")
    {
        Description = "The data folder: what is deployed, connected and run.",
        HelpName = "DIR",
        DefaultValueFactory = _ => environment.Folder,
    };

    public static Option<bool> JsonOption() => new("--json") { Description = "Answer with JSON." };

    /// <summary>Reaches the running server of the folder, or opens the folder while the command runs.</summary>
    public static async Task<ControlClient> OpenAsync(
        CliEnvironment environment, string folder, CancellationToken cancel)
    {
        try
        {
            var checks = MachineModels.Checks(environment);
            return await ControlClient.OpenAsync(
                new PlatformOptions { DataFolder = folder, RemoteVerdict = checks.RemoteVerdict }, cancel);
        }
        catch (Exception e) when (e is PlatformException or ServerException)
        {
            throw Unusable(folder, e);
        }
    }

    /// <summary>A data folder that cannot be opened: where it lies, and what to do.</summary>
    public static CommandException Unusable(string folder, Exception failure) =>
        failure.Message.Contains(folder, StringComparison.Ordinal) || failure is not PlatformException
            ? new(failure.Message)
            : new($"the data folder {folder} cannot be used: {failure.Message}");

    /// <summary>A listing as JSON.</summary>
    public static JsonNode ToJson<T>(T value) => JsonSerializer.SerializeToNode(value, Json)!;

    /// <summary>Options of the form <c>key=value</c>.</summary>
    public static JsonObject Settings(IEnumerable<string> pairs)
    {
        var settings = new JsonObject();
        foreach (var pair in pairs)
        {
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new CommandException($"--set {pair}: write KEY=VALUE");
            settings[pair[..equals]] = pair[(equals + 1)..];
        }

        return settings;
    }
}
