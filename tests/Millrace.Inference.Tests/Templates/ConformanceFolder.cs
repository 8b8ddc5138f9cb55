using System.Text.Json;

namespace Millrace.Inference.Tests.Templates;

/// <summary>Cases with the reference's answers: MILLRACE_CONFORMANCE names their folder.</summary>
static class ConformanceFolder
{
    static readonly string? Path = Environment.GetEnvironmentVariable("MILLRACE_CONFORMANCE") switch
    {
        null or "" => null,
        var path => path,
    };

    /// <summary>A file of the folder. Unset skips the test, set and missing fails it.</summary>
    public static JsonElement Read(string file)
    {
        Skip.If(Path is null, "MILLRACE_CONFORMANCE is not set: it names the folder of conformance cases");
        var path = System.IO.Path.Combine(Path!, file);
        Assert.True(File.Exists(path), $"MILLRACE_CONFORMANCE has no {file}");
        return JsonDocument.Parse(File.ReadAllBytes(path)).RootElement;
    }

    /// <summary>Files of a folder by name; a single nameless one where there are none, so that its test tells why.</summary>
    public static IEnumerable<string> FilesOf(string folder)
    {
        var path = System.IO.Path.Combine(Path ?? "", folder);
        return Path is not null && Directory.Exists(path)
            ? Directory.EnumerateFiles(path, "*.json").Select(file => System.IO.Path.GetFileName(file)).Order(StringComparer.Ordinal)
            : ["none.json"];
    }
}
