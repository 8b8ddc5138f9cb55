namespace Millrace.Inference.Store;

/// <summary>What the user asked for.</summary>
/// <param name="Url">Of the file; null while only a repository is known.</param>
/// <param name="Repository">As <c>org/repo</c>; null for a URL.</param>
/// <param name="Path">Of the file inside the repository; null: to choose.</param>
sealed record ModelSource(Uri? Url, string? Repository, string? Path)
{
    const string Scheme = "hf:";
    const string Revision = "main";

    /// <exception cref="ModelHubException">It is neither.</exception>
    public static ModelSource Parse(string source, Uri hub)
    {
        if (source.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return ParseRepository(source, hub);
        if (!Uri.TryCreate(source, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            throw new ModelHubException(
                $"'{source}' is no source of a model: write hf:org/repo, hf:org/repo/file.gguf or an https address");
        }
        if (url.UserInfo.Length > 0) throw new ModelHubException("leave user and password out of the address");
        // A hub's page of a file shows it; its bytes lie beside.
        if (IsSameServer(url, hub)) url = new(url.AbsoluteUri.Replace("/blob/", "/resolve/", StringComparison.Ordinal));
        return new(url, null, null);
    }

    public static Uri UrlOf(Uri hub, string repository, string path) =>
        new(hub, $"/{Escape(repository)}/resolve/{Revision}/{Escape(path)}");

    public static Uri TreeOf(Uri hub, string repository) =>
        new(hub, $"/api/models/{Escape(repository)}/tree/{Revision}?recursive=true");

    /// <summary>Scheme, name and port: whoever differs in one is somebody else.</summary>
    public static bool IsSameServer(Uri a, Uri b) =>
        a.Scheme == b.Scheme && a.Port == b.Port && a.Host.Equals(b.Host, StringComparison.OrdinalIgnoreCase);

    static ModelSource ParseRepository(string source, Uri hub)
    {
        var parts = source[Scheme.Length..].Split('/');
        if (parts.Length < 2 || parts.Any(part => part is "" or "." or ".."))
            throw new ModelHubException($"'{source}' names no repository: write hf:org/repo or hf:org/repo/file.gguf");
        var repository = $"{parts[0]}/{parts[1]}";
        var path = parts.Length == 2 ? null : string.Join('/', parts[2..]);
        return new(path is null ? null : UrlOf(hub, repository, path), repository, path);
    }

    static string Escape(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
}
