using System.Buffers.Binary;
using System.Text;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Files;

namespace Millrace.Wasi.Calls;

/// <summary>Preopened directories and listings: <c>fd_prestat_*</c>, <c>fd_readdir</c>.</summary>
static class DirectoryCalls
{
    public static readonly CallEntry[] Entries =
    [
        new("fd_prestat_get", "ii", PrestatGet),
        new("fd_prestat_dir_name", "iii", PrestatName),
        new("fd_readdir", "iiiIi", ReadDirectory),
    ];

    const int EntryHeadLength = 24;

    // wasi-libc asks 3, 4, 5 … until the answer is badf, so that is also the answer for what is not preopened.
    static Errno FindPreopen(WasiContext wasi, Arguments arguments, out byte[] name)
    {
        name = [];
        if (!wasi.Table.TryFind(arguments.U32(0), out var descriptor)) return Errno.Badf;
        if (descriptor.PreopenName is not { } text) return Errno.Badf;
        name = Encoding.UTF8.GetBytes(text);
        return Errno.Success;
    }

    static Errno PrestatGet(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = FindPreopen(wasi, arguments, out var name);
        if (errno != Errno.Success) return errno;
        memory.WriteU64(arguments.U32(1), (ulong)name.Length << 32);
        return Errno.Success;
    }

    static Errno PrestatName(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = FindPreopen(wasi, arguments, out var name);
        if (errno != Errno.Success) return errno;
        if (arguments.U32(2) < name.Length) return Errno.Nametoolong;
        name.CopyTo(memory.Bytes(arguments.U32(1), (uint)name.Length));
        return Errno.Success;
    }

    static Errno ReadDirectory(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.FindDirectory(arguments.U32(0), Rights.FdReaddir, out var descriptor, out var directory);
        if (errno != Errno.Success) return errno;
        var buffer = memory.Bytes(arguments.U32(1), arguments.U32(2));
        _ = memory.Bytes(arguments.U32(4), 4);
        var cookie = arguments.U64(3);
        if (cookie == 0 || descriptor.Listing is null)
        {
            errno = List(directory, out var listing);
            if (errno != Errno.Success) return errno;
            descriptor.Listing = listing;
            wasi.Table.TrimListings(descriptor);
        }

        memory.WriteU32(arguments.U32(4), (uint)Fill(buffer, descriptor.Listing, cookie));
        return Errno.Success;
    }

    static Errno List(OpenDirectory directory, out List<DirectoryEntry> listing)
    {
        listing = [];
        var errno = directory.Stat(out var self);
        if (errno != Errno.Success) return errno;
        errno = directory.List(out var entries);
        // `..` carries the directory's own inode: the parent may lie outside what the guest may know.
        listing = [new(".", self.Inode, Filetype.Directory), new("..", self.Inode, Filetype.Directory), .. entries];
        return errno;
    }

    /// <summary>Writes entries from the cookie on; the last one is cut where the buffer ends, which tells the guest
    /// that there are more.</summary>
    static int Fill(Span<byte> buffer, List<DirectoryEntry> listing, ulong cookie)
    {
        var used = 0;
        Span<byte> head = stackalloc byte[EntryHeadLength];
        for (var i = cookie; i < (ulong)listing.Count && used < buffer.Length; i++)
        {
            var entry = listing[(int)i];
            var name = Encoding.UTF8.GetBytes(entry.Name);
            head.Clear();
            BinaryPrimitives.WriteUInt64LittleEndian(head, i + 1);
            BinaryPrimitives.WriteUInt64LittleEndian(head[8..], entry.Inode);
            BinaryPrimitives.WriteUInt32LittleEndian(head[16..], (uint)name.Length);
            head[20] = (byte)entry.Type;
            used += CopyCut(head, buffer[used..]);
            used += CopyCut(name, buffer[used..]);
        }

        return used;
    }

    static int CopyCut(ReadOnlySpan<byte> source, Span<byte> target)
    {
        var length = Math.Min(source.Length, target.Length);
        source[..length].CopyTo(target);
        return length;
    }
}
