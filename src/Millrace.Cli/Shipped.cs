using System.Collections.Immutable;

namespace Millrace.Cli;

/// <summary>Files that come with the program.</summary>
static class Shipped
{
    /// <summary>A guest's folder: manifest, module, schemas.</summary>
    public static string Guest(string name) => Folder("guests", name);

    /// <summary>Folders of the integrations.</summary>
    public static string[] Integrations()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "guests");
        return Directory.Exists(folder)
            ? [.. Directory.EnumerateDirectories(folder).Where(path => File.Exists(Path.Combine(path, "integration.yaml")))]
            : [];
    }

    /// <summary>The command line that starts this program with a command of its own.</summary>
    public static ImmutableArray<string> Program(string command)
    {
        // Run by `dotnet millrace.dll` (dotnet run, tests), the process is the muxer; as an installed program it is us.
        var program = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "millrace.exe" : "millrace");
        return File.Exists(program) ? [program, command] : ["dotnet", Path.ChangeExtension(program, ".dll"), command];
    }

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
