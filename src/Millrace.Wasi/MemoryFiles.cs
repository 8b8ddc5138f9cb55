using Millrace.Wasi.Abi;
using Millrace.Wasi.Files;

namespace Millrace.Wasi;

/// <summary>
/// A file system of one guest, in memory: given files that cannot be changed, and room for others, up to a cap.
/// Nothing in it depends on anything but its arguments and what the guest does: inodes count up, listings are sorted,
/// times come from the guest's clock.
/// </summary>
public sealed class MemoryFiles : IPathTree<MemoryNode>
{
    readonly MemoryDirectoryNode _root;
    readonly Func<long> _nowNs;
    readonly long _bytesMax;
    ulong _lastInode;
    long _bytes;

    /// <summary>Lays out the given files.</summary>
    /// <param name="assets">Read-only files by absolute path.</param>
    /// <param name="bytesMax">Bytes that the guest may write, entries included.</param>
    /// <param name="nowNs">The guest's time in nanoseconds since the Unix epoch.</param>
    /// <exception cref="ArgumentException">A path is not absolute, goes up, or is file and directory.</exception>
    public MemoryFiles(
        IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assets, long bytesMax, Func<long> nowNs)
    {
        (_nowNs, _bytesMax) = (nowNs, bytesMax);
        _root = new(NextInode(), NowNs);
        foreach (var (path, content) in assets.OrderBy(asset => asset.Key, StringComparer.Ordinal))
            AddAsset(path, content);
    }

    internal ulong NowNs => (ulong)_nowNs();

    internal OpenDirectory OpenRoot() => new MemoryDirectory(this, _root);

    internal ulong NextInode() => ++_lastInode;

    /// <summary>Takes bytes of the cap, or gives some back; false when they are not there.</summary>
    internal bool TryCharge(long bytes)
    {
        if (bytes > _bytesMax - _bytes) return false;
        _bytes += bytes;
        return true;
    }

    MemoryNode? IPathTree<MemoryNode>.Find(MemoryNode directory, string name) =>
        ((MemoryDirectoryNode)directory).Entries.GetValueOrDefault(name);

    Filetype IPathTree<MemoryNode>.TypeOf(MemoryNode node) => node.Type;

    string IPathTree<MemoryNode>.ContentOf(MemoryNode link) => ((MemoryLinkNode)link).Content;

    void AddAsset(string path, ReadOnlyMemory<byte> content)
    {
        var names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (!path.StartsWith('/') || names.Length == 0 || names.Any(name => name is "." or ".."))
            throw new ArgumentException($"'{path}' is not an absolute path of a file", nameof(path));
        var directory = _root;
        foreach (var name in names[..^1])
        {
            if (!directory.Entries.TryGetValue(name, out var next))
                directory.Entries[name] = next = new MemoryDirectoryNode(NextInode(), NowNs) { IsReadOnly = true };
            directory = next as MemoryDirectoryNode
                ?? throw new ArgumentException($"'{path}' goes through a file", nameof(path));
        }

        if (!directory.Entries.TryAdd(names[^1], new MemoryFileNode(NextInode(), NowNs, content) { IsReadOnly = true }))
            throw new ArgumentException($"'{path}' is given twice", nameof(path));
    }
}
