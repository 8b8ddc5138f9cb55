using System.ComponentModel;
using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace Millrace.Bench;

/// <summary>A real payload, fetched when it is needed.</summary>
static class Payload
{
    public const string Package = "@octokit/webhooks-examples@7.6.1";

    /// <summary>The example of an opened pull request; null where npm is missing or fetches nothing.</summary>
    public static async Task<byte[]?> PullRequestAsync()
    {
        var folder = Directory.CreateTempSubdirectory("millrace-npm-");
        try
        {
            if (await PackAsync(folder.FullName) is not { } file) return null;
            await using var packed = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
            await using var tar = new TarReader(packed);
            while (await tar.GetNextEntryAsync(copyData: true) is { } entry)
            {
                if (entry.Name != "package/api.github.com/index.json") continue;
                var hooks = (await JsonNode.ParseAsync(entry.DataStream!))!.AsArray();
                var examples = hooks.Single(hook => (string)hook!["name"]! == "pull_request")!["examples"]!.AsArray();
                return Encoding.UTF8.GetBytes(
                    examples.First(example => (string)example!["action"]! == "opened")!.ToJsonString());
            }
            return null;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static async Task<string?> PackAsync(string folder)
    {
        try
        {
            using var npm = Process.Start(new ProcessStartInfo("npm", ["pack", Package, "--silent"])
            {
                WorkingDirectory = folder,
                RedirectStandardOutput = true,
            })!;
            await npm.StandardOutput.ReadToEndAsync();
            await npm.WaitForExitAsync();
            return Directory.EnumerateFiles(folder, "*.tgz").FirstOrDefault();
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
