using System.Text.Json;
using System.Text.RegularExpressions;

namespace Millrace.Inference.Store;

/// <summary>The files of a hub's repository, and which of them is meant when none is named.</summary>
static partial class HubTree
{
    const string Ending = ".gguf";

    // The usual middle between size and loss, and what most repositories have.
    const string Preferred = "Q4_K_M";
    const int NamesMax = 20;
    const int PagesMax = 20;

    sealed record Entry(string Path, long Bytes, string? Sha256);

    /// <exception cref="ModelHubException">There is no such repository, or no file in it that is clearly meant.</exception>
    public static async Task<(Uri Url, long? Bytes, string? Sha256)> ChooseAsync(
        HubRequests requests, Uri hub, ModelSource wanted, CancellationToken cancel)
    {
        var repository = wanted.Repository!;
        var models = await ListAsync(requests, hub, repository, cancel);
        // Projectors of images and the parts of split models are no models of their own.
        var whole = models.Where(file => !Part().IsMatch(file.Path)
            && !System.IO.Path.GetFileName(file.Path).StartsWith("mmproj", StringComparison.OrdinalIgnoreCase)).ToList();
        if (whole.Count == 0)
        {
            throw new ModelHubException(models.Count > 0
                ? $"hf:{repository} has its models in parts only, which Millrace does not put together; choose another repository"
                : $"hf:{repository} has no .gguf file; look for a repository whose name ends in GGUF");
        }

        var named = whole.Where(file => file.Path.Contains(Preferred, StringComparison.OrdinalIgnoreCase)).ToList();
        var chosen = whole.Count == 1 ? whole[0] : named.Count == 1 ? named[0] : throw new ModelHubException(
            $"hf:{repository} has several models; name one, as hf:{repository}/{whole[0].Path}: "
            + string.Join(", ", whole.Take(NamesMax).Select(file => file.Path)) + (whole.Count > NamesMax ? ", …" : ""));
        return (ModelSource.UrlOf(hub, repository, chosen.Path), chosen.Bytes, chosen.Sha256);
    }

    static async Task<List<Entry>> ListAsync(HubRequests requests, Uri hub, string repository, CancellationToken cancel)
    {
        var found = new List<Entry>();
        var page = ModelSource.TreeOf(hub, repository);
        for (var i = 0; page is not null && i < PagesMax; i++)
        {
            var (text, next) = await requests.ReadTextAsync($"hf:{repository}", page, cancel);
            found.AddRange(Parse(repository, text).Where(file => file.Path.EndsWith(Ending, StringComparison.OrdinalIgnoreCase)));
            page = next;
        }

        return found;
    }

    static List<Entry> Parse(string repository, string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return [.. document.RootElement.EnumerateArray().Where(entry => entry.GetProperty("type").GetString() == "file").Select(Read)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new ModelHubException($"the hub's listing of hf:{repository} cannot be understood", e);
        }
    }

    static Entry Read(JsonElement entry)
    {
        var hasHash = entry.TryGetProperty("lfs", out var lfs) && lfs.ValueKind == JsonValueKind.Object;
        var size = hasHash ? lfs.GetProperty("size") : entry.GetProperty("size");
        return new(
            entry.GetProperty("path").GetString()!, size.GetInt64(),
            hasHash ? HubRequests.Hash(lfs.GetProperty("oid").GetString()) : null);
    }

    [GeneratedRegex(@"-\d{5}-of-\d{5}\.gguf$", RegexOptions.IgnoreCase)]
    private static partial Regex Part();
}
