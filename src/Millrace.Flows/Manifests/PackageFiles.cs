namespace Millrace.Flows.Manifests;

/// <summary>Paths inside a package.</summary>
static class PackageFiles
{
    /// <summary>Why the path cannot be one of a package; null when it can.</summary>
    public static string? Fault(string path)
    {
        if (path.StartsWith('/')) return $"'{path}' must be relative to the package's folder";
        if (path.Contains('\\')) return $"'{path}' must be written with '/'";
        if (path.Length > 255) return "the path is longer than 255 characters";
        if (path.Any(char.IsControl)) return "the path contains a control character";
        foreach (var part in path.Split('/'))
        {
            if (part == "..") return $"'{path}' leaves the package's folder";
            if (part is "" or ".") return $"'{path}' has an empty part";
        }
        return null;
    }
}
