using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Files;

/// <summary>Paths as text.</summary>
static class PathText
{
    /// <summary>As Linux' PATH_MAX and NAME_MAX.</summary>
    public const int PathLengthMax = 4096;
    public const int NameLengthMax = 255;

    /// <summary>What is wrong with a path before anything is looked up.</summary>
    public static Errno Check(string path)
    {
        if (path.Length == 0) return Errno.Noent;
        if (path.Contains('\0')) return Errno.Inval;
        if (path.Length > PathLengthMax) return Errno.Nametoolong;
        return path[0] == '/' ? Errno.Notcapable : Errno.Success;
    }

    /// <summary>
    /// Splits off the last name. A path that ends in <c>.</c> or <c>..</c> is all parent and the name is <c>.</c>, so
    /// that no call is ever made on a name that leads upwards. Slashes at the end stay with the name.
    /// </summary>
    public static (string Parent, string Name) Split(string path)
    {
        var end = path.AsSpan().TrimEnd('/').Length;
        var slash = path.LastIndexOf('/', end - 1);
        var name = path[(slash + 1)..end];
        if (name is "." or "..") return (path, ".");
        return (slash < 0 ? "." : path[..(slash + 1)], path[(slash + 1)..]);
    }
}
