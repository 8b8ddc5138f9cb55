using System.Text;
using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Files;

/// <summary>An open directory in memory.</summary>
sealed class MemoryDirectory(MemoryFiles files, MemoryDirectoryNode node) : OpenDirectory
{
    public override Errno Stat(out Filestat stat)
    {
        stat = node.Stat();
        return Errno.Success;
    }

    public override Errno SetTimes(FileTimes times) => SetTimes(files, node, times);

    public override Errno Sync(bool isDataOnly) => Errno.Success;

    public override Errno List(out List<DirectoryEntry> entries)
    {
        entries = [.. node.Entries.Select(entry => new DirectoryEntry(entry.Key, entry.Value.Inode, entry.Value.Type))];
        return Errno.Success;
    }

    public override Errno Open(string path, OpenMode mode, out OpenNode? opened)
    {
        opened = null;
        // `creat` with `excl` means the name itself, as POSIX has it: a link there is something that exists.
        var isNew = mode.Oflags.HasFlag(Oflags.Creat | Oflags.Excl);
        var errno = Resolve(path, mode.Follow && !isNew, out var place);
        if (errno != Errno.Success) return errno;
        var found = place.Node;
        if (found is null)
        {
            if (!mode.Oflags.HasFlag(Oflags.Creat)) return Errno.Noent;
            if (mode.Oflags.HasFlag(Oflags.Directory)) return Errno.Inval;
            if (place.IsDirectoryNamed) return Errno.Isdir;
            errno = Add(place, found = new MemoryFileNode(files.NextInode(), files.NowNs, default));
            if (errno != Errno.Success) return errno;
        }
        else if (isNew)
        {
            return Errno.Exist;
        }

        return OpenFound(found, mode, out opened);
    }

    Errno OpenFound(MemoryNode found, OpenMode mode, out OpenNode? opened)
    {
        opened = null;
        switch (found)
        {
            case MemoryLinkNode:
                return mode.Oflags.HasFlag(Oflags.Directory) ? Errno.Notdir : Errno.Loop;
            case MemoryDirectoryNode directory:
                if (mode.CanWrite || (mode.Oflags & (Oflags.Creat | Oflags.Trunc)) != 0) return Errno.Isdir;
                opened = new MemoryDirectory(files, directory);
                return Errno.Success;
        }

        if (mode.Oflags.HasFlag(Oflags.Directory)) return Errno.Notdir;
        var isChange = mode.CanWrite || mode.Oflags.HasFlag(Oflags.Trunc);
        if (isChange && found.IsReadOnly) return Errno.Rofs;
        opened = new MemoryFile(files, (MemoryFileNode)found, mode.Fdflags);
        if (mode.Oflags.HasFlag(Oflags.Trunc)) ((MemoryFile)opened).SetSize(0);
        return Errno.Success;
    }

    public override Errno CreateDirectory(string path)
    {
        var errno = Resolve(path, false, out var place);
        if (errno == Errno.Notdir && place.Node is not null) return Errno.Exist;
        if (errno != Errno.Success) return errno;
        return place.Node is not null
            ? Errno.Exist
            : Add(place, new MemoryDirectoryNode(files.NextInode(), files.NowNs));
    }

    public override Errno StatAt(string path, bool follow, out Filestat stat)
    {
        var errno = Resolve(path, follow, out var place);
        stat = place.Node?.Stat() ?? default;
        return errno != Errno.Success ? errno : place.Node is null ? Errno.Noent : Errno.Success;
    }

    public override Errno SetTimesAt(string path, bool follow, FileTimes times)
    {
        var errno = Resolve(path, follow, out var place);
        if (errno != Errno.Success) return errno;
        return place.Node is null ? Errno.Noent : SetTimes(files, place.Node, times);
    }

    public override Errno Link(string path, bool follow, OpenDirectory target, string targetPath)
    {
        if (target is not MemoryDirectory other) return Errno.Xdev;
        var errno = Resolve(path, follow, out var source);
        if (errno != Errno.Success) return errno;
        if (source.Node is null) return Errno.Noent;
        if (source.Node is MemoryDirectoryNode) return Errno.Perm;
        if (source.Node.IsReadOnly) return Errno.Rofs;
        errno = other.Resolve(targetPath, false, out var place);
        if (errno != Errno.Success) return errno;
        if (place.Node is not null) return Errno.Exist;
        if (place.IsDirectoryNamed) return Errno.Noent;
        errno = Add(place, source.Node);
        if (errno != Errno.Success) return errno;
        source.Node.Links++;
        source.Node.ChangedNs = files.NowNs;
        return Errno.Success;
    }

    public override Errno Symlink(string content, string path)
    {
        var errno = Resolve(path, false, out var place);
        if (errno != Errno.Success) return errno;
        if (place.Node is not null) return Errno.Exist;
        return place.IsDirectoryNamed
            ? Errno.Noent
            : Add(place, new MemoryLinkNode(files.NextInode(), files.NowNs, content), content.Length);
    }

    public override Errno ReadLink(string path, out byte[] content)
    {
        content = [];
        var errno = Resolve(path, false, out var place);
        if (errno != Errno.Success) return errno;
        if (place.Node is null) return Errno.Noent;
        if (place.Node is not MemoryLinkNode link) return Errno.Inval;
        content = Encoding.UTF8.GetBytes(link.Content);
        return Errno.Success;
    }

    public override Errno RemoveDirectory(string path)
    {
        var errno = Resolve(path, false, out var place);
        if (errno != Errno.Success) return errno;
        if (place.Node is null) return Errno.Noent;
        if (place.Node is not MemoryDirectoryNode directory) return Errno.Notdir;
        if (place.Name == ".") return Errno.Inval;
        if (directory.Entries.Count > 0) return Errno.Notempty;
        if (directory.IsReadOnly || place.Parent.IsReadOnly) return Errno.Rofs;
        directory.IsRemoved = true;
        Remove(place);
        return Errno.Success;
    }

    public override Errno Unlink(string path)
    {
        var errno = Resolve(path, false, out var place);
        if (errno != Errno.Success) return errno;
        if (place.Node is null) return Errno.Noent;
        if (place.Node is MemoryDirectoryNode) return Errno.Isdir;
        if (place.Node.IsReadOnly || place.Parent.IsReadOnly) return Errno.Rofs;
        Remove(place);
        Release(place.Node);
        return Errno.Success;
    }

    public override Errno Rename(string path, OpenDirectory target, string targetPath)
    {
        if (target is not MemoryDirectory other) return Errno.Xdev;
        var errno = Resolve(path, false, out var source);
        if (errno != Errno.Success) return errno;
        errno = other.Resolve(targetPath, false, out var place);
        if (errno == Errno.Notdir && source.Node is MemoryDirectoryNode) return errno;
        if (errno != Errno.Success) return errno;
        if (source.Node is null) return Errno.Noent;
        if (source.Name == "." || place.Name == ".") return Errno.Busy;
        if (place.Node == source.Node) return Errno.Success;
        if (source.Node.IsReadOnly || source.Parent.IsReadOnly) return Errno.Rofs;
        if (place.Node is { IsReadOnly: true } || place.Parent.IsReadOnly) return Errno.Rofs;
        errno = CheckReplace(source.Node, place);
        if (errno != Errno.Success) return errno;

        if (((MemoryDirectoryNode)place.Parent).IsRemoved) return Errno.Noent;
        // Paid before anything is taken away, so that a rename without room changes nothing.
        if (!files.TryCharge(Cost(place.Name))) return Errno.Nospc;
        if (place.Node is not null)
        {
            if (place.Node is MemoryDirectoryNode replaced) replaced.IsRemoved = true;
            Remove(place);
            Release(place.Node);
        }

        Remove(source);
        Insert(place, source.Node);
        return Errno.Success;
    }

    static Errno CheckReplace(MemoryNode source, Place<MemoryNode> place)
    {
        if (source is not MemoryDirectoryNode directory)
        {
            if (place.IsDirectoryNamed) return place.Node is null ? Errno.Notdir : Errno.Isdir;
            return place.Node is MemoryDirectoryNode ? Errno.Isdir : Errno.Success;
        }

        if (Contains(directory, place.Parent)) return Errno.Inval;
        if (place.Node is null) return Errno.Success;
        if (place.Node is not MemoryDirectoryNode replaced) return Errno.Notdir;
        return replaced.Entries.Count > 0 ? Errno.Notempty : Errno.Success;
    }

    /// <summary>Whether a directory is, or has under it, another one: it cannot be moved into itself.</summary>
    static bool Contains(MemoryDirectoryNode directory, MemoryNode sought)
    {
        var open = new Stack<MemoryDirectoryNode>([directory]);
        while (open.TryPop(out var next))
        {
            if (next == sought) return true;
            foreach (var child in next.Entries.Values.OfType<MemoryDirectoryNode>()) open.Push(child);
        }

        return false;
    }

    public static Errno SetTimes(MemoryFiles files, MemoryNode node, FileTimes times)
    {
        if (node.IsReadOnly) return Errno.Rofs;
        var now = files.NowNs;
        if (times.AccessedNs is { } accessed) node.AccessedNs = accessed == FileTimes.Now ? now : accessed;
        if (times.ModifiedNs is { } modified) node.ModifiedNs = modified == FileTimes.Now ? now : modified;
        node.ChangedNs = now;
        return Errno.Success;
    }

    Errno Resolve(string path, bool follow, out Place<MemoryNode> place) =>
        PathWalk.Resolve(files, node, path, follow, out place);

    Errno Add(Place<MemoryNode> place, MemoryNode child, long contentBytes = 0)
    {
        var parent = (MemoryDirectoryNode)place.Parent;
        if (parent.IsReadOnly) return Errno.Rofs;
        if (parent.IsRemoved) return Errno.Noent;
        if (!files.TryCharge(Cost(place.Name) + contentBytes)) return Errno.Nospc;
        Insert(place, child);
        return Errno.Success;
    }

    void Insert(Place<MemoryNode> place, MemoryNode child)
    {
        var parent = (MemoryDirectoryNode)place.Parent;
        parent.Entries.Add(place.Name, child);
        parent.ModifiedNs = parent.ChangedNs = files.NowNs;
    }

    void Remove(Place<MemoryNode> place)
    {
        var parent = (MemoryDirectoryNode)place.Parent;
        parent.Entries.Remove(place.Name);
        parent.ModifiedNs = parent.ChangedNs = files.NowNs;
        files.TryCharge(-Cost(place.Name));
    }

    /// <summary>Takes a name away from a node; with the last one its bytes go, unless it is still open.</summary>
    void Release(MemoryNode released)
    {
        released.Links--;
        released.ChangedNs = files.NowNs;
        if (released.Links > 0) return;
        if (released is MemoryFileNode { OpenCount: 0 } file) files.TryCharge(-file.Length);
        if (released is MemoryLinkNode link) files.TryCharge(-link.Content.Length);
    }

    static long Cost(string name) => MemoryNode.EntryCost + name.Length;
}
