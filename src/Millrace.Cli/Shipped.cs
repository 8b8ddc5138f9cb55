namespace Millrace.Cli;

/// <summary>Files that come with the program.</summary>
static class Shipped
{
    /// <summary>A guest's folder: manifest, module, schemas.</summary>
    public static string Guest(string name) => Folder("guests", name);

    /// <summary>A sample change's folder.</summary>
    public static string Sample(string name) => Folder("samples", name);

    /// <summary>Names of the sample changes.</summary>
    public static string[] Samples()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "samples");
        return Directory.Exists(folder)
            ? [.. Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)]
            : [];
    }

    /// <summary>The tiny model, which proves the path and nothing else.</summary>
    public static string TinyModel => Path.Combine(AppContext.BaseDirectory, "models", "tinychat-q8_0.gguf");

    static string Folder(string kind, string name)
    {
        var path = Path.Combine(AppContext.BaseDirectory, kind, name);
        return Directory.Exists(path) ? path
            : throw new CommandException($"{kind}/{name} is missing beside the program: build it again (`./millrace` does)");
    }
}
