namespace Millrace.Guests.Tests;

/// <summary>Where this checkout has what the tests read.</summary>
static class Folders
{
    public static readonly string Root = Find();
    public static readonly string Guests = Path.Combine(Root, "guests");
    public static readonly string Scenarios = Path.Combine(Root, "tests", "Millrace.Guests.Tests", "scenarios");

    /// <summary>Names of the scenario files or folders of one guest.</summary>
    public static TheoryData<string> Names(string guest)
    {
        var names = new TheoryData<string>();
        foreach (var path in Directory.EnumerateFileSystemEntries(Path.Combine(Scenarios, guest)).Order(StringComparer.Ordinal))
            names.Add(Path.GetFileNameWithoutExtension(path));
        return names;
    }

    static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Millrace.slnx"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException("no folder above the tests holds Millrace.slnx");
    }
}
