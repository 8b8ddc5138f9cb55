using Millrace.Cli.Changes;

namespace Millrace.Cli.Tests.Realism;

/// <summary>A git repository with two versions of a public package, the second on top of the first.</summary>
static class PackageHistory
{
    /// <summary>Tags the versions <c>base</c> and <c>head</c>.</summary>
    public static async Task<GitRepository> MakeAsync(ScratchRepository scratch, string origin, string head)
    {
        Fill(scratch, origin);
        scratch.Commit("The version before");
        scratch.Git("tag", "base");
        foreach (var entry in new DirectoryInfo(scratch.Folder).EnumerateFileSystemInfos())
        {
            if (entry is FileInfo file) file.Delete();
            else if (entry is DirectoryInfo { Name: not ".git" } folder) folder.Delete(recursive: true);
        }

        Fill(scratch, head);
        scratch.Commit("The version after\n\nAs its authors published it.");
        scratch.Git("tag", "head");
        return await GitRepository.OpenAsync(scratch.Folder, default);
    }

    static void Fill(ScratchRepository scratch, string package)
    {
        foreach (var file in Directory.EnumerateFiles(package, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(scratch.Folder, Path.GetRelativePath(package, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
