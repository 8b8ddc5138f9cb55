using System.Text.Json;

namespace Millrace.Cli.Reviewing;

/// <summary>
/// That a person agreed to send one repository's code to one host. A small JSON file of the user's.
/// </summary>
sealed class ConsentStore(string path)
{
    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public bool Has(string repository, string host) => Read().Contains(Key(repository, host));

    public void Add(string repository, string host)
    {
        var all = Read();
        all.Add(Key(repository, host));
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path, JsonSerializer.Serialize(all, Indented));
    }

    static string Key(string repository, string host) => $"{repository} -> {host}";

    SortedSet<string> Read()
    {
        try
        {
            return JsonSerializer.Deserialize<SortedSet<string>>(File.ReadAllText(path)) ?? [];
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            // A lost agreement is asked for again.
            return [];
        }
    }
}
