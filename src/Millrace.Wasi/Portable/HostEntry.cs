using Millrace.Wasi.Abi;
using Millrace.Wasi.Files;

namespace Millrace.Wasi.Portable;

/// <summary>A name on the host and what stood there when it was looked at.</summary>
sealed record HostEntry(string Path, Filetype Type)
{
    public FileSystemInfo Status() => Type == Filetype.Directory ? new DirectoryInfo(Path) : new FileInfo(Path);
}

/// <summary>The host's files as a tree to walk.</summary>
sealed class HostTree : IPathTree<HostEntry>
{
    public static readonly HostTree Instance = new();

    public HostEntry? Find(HostEntry directory, string name)
    {
        var path = System.IO.Path.Join(directory.Path, name);
        var info = new FileInfo(path);
        if (info.LinkTarget is not null) return new(path, Filetype.SymbolicLink);
        if (Directory.Exists(path)) return new(path, Filetype.Directory);
        return info.Exists ? new(path, Filetype.RegularFile) : null;
    }

    public Filetype TypeOf(HostEntry node) => node.Type;

    public string ContentOf(HostEntry link) => new FileInfo(link.Path).LinkTarget ?? "";
}
