using System.Diagnostics;

namespace Millrace.Repo.Tests;

/// <summary>The checkout these tests were built from: what git tracks, and new files that it does not ignore.</summary>
static class Repository
{
    public static readonly string Root = FindRoot();

    static readonly Lazy<string[]> Tracked = new(ListFiles);

    /// <summary>Relative paths with forward slashes that end in one of the endings (all, when none is given).</summary>
    public static IEnumerable<string> Files(params string[] endings) => Tracked.Value.Where(
        path => endings.Length == 0 || endings.Any(ending => path.EndsWith(ending, StringComparison.Ordinal)));

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Millrace.slnx"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException("no folder above the tests holds Millrace.slnx");
    }

    static string[] ListFiles()
    {
        var start = new ProcessStartInfo("git", "ls-files -z --cached --others --exclude-standard")
        {
            WorkingDirectory = Root,
            RedirectStandardOutput = true,
        };
        using var git = Process.Start(start)!;
        var paths = git.StandardOutput.ReadToEnd().Split('\0', StringSplitOptions.RemoveEmptyEntries);
        git.WaitForExit();
        return [.. paths.Where(path => File.Exists(Path.Combine(Root, path)))];
    }
}
