using System.Text.Json.Nodes;
using Millrace.Flows;
using Millrace.Server;

namespace Millrace.Cli;

/// <summary>Flows and integrations that come with the program, by the names people give them.</summary>
static class ShippedPackages
{
    static readonly Dictionary<string, string> Folders = new(StringComparer.Ordinal)
    {
        ["hello"] = "hello",
        ["review"] = "code_review",
        ["code-review"] = "code_review",
        ["github"] = "github",
        ["openai"] = "openai",
    };

    public static string Names => string.Join(", ", Folders.Keys);

    public static bool Has(string name) => Folders.ContainsKey(name);

    /// <summary>The folder that a person means: one of theirs, else one that ships.</summary>
    public static string Find(string folderOrName)
    {
        if (Directory.Exists(folderOrName)) return folderOrName;
        if (File.Exists(folderOrName))
        {
            throw new CommandException(
                $"{folderOrName} is a file; name the folder that holds flow.yaml or integration.yaml");
        }

        return Folders.TryGetValue(folderOrName, out var folder)
            ? Shipped.Guest(folder)
            : throw new CommandException(
                $"there is no folder {folderOrName}, and nothing of that name ships ({Names} do)");
    }

    /// <summary>Reads a package, and checks it.</summary>
    public static Package Load(string folder, JsonObject settings)
    {
        try
        {
            return Package.Load(folder, settings);
        }
        catch (ManifestException e)
        {
            throw new CommandException(e.Message);
        }
    }

    /// <summary>Deploys an integration that ships, where none of its name is deployed yet.</summary>
    public static async Task EnsureAsync(ControlClient client, string name, Screen screen, CancellationToken cancel)
    {
        if (!Has(name) || (await client.IntegrationsAsync(cancel)).Any(known => known.Name == name)) return;
        var reply = await client.DeployAsync(Shipped.Guest(Folders[name]), cancel: cancel);
        screen.Note($"deployed the integration {reply.Name}, version {reply.Version}");
    }
}
