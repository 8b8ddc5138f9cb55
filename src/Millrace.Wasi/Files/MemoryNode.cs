using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Files;

/// <summary>A file, directory or link in memory.</summary>
abstract class MemoryNode(ulong inode, ulong nowNs)
{
    /// <summary>What an entry costs besides its bytes, so that empty files are not free.</summary>
    public const long EntryCost = 256;

    public ulong Inode { get; } = inode;

    public bool IsReadOnly { get; init; }

    public ulong Links { get; set; } = 1;

    public ulong AccessedNs { get; set; } = nowNs;

    public ulong ModifiedNs { get; set; } = nowNs;

    public ulong ChangedNs { get; set; } = nowNs;

    public abstract Filetype Type { get; }

    public abstract ulong Size { get; }

    public Filestat Stat() => new(1, Inode, Type, Links, Size, AccessedNs, ModifiedNs, ChangedNs);
}

sealed class MemoryDirectoryNode(ulong inode, ulong nowNs) : MemoryNode(inode, nowNs)
{
    /// <summary>In the order of their bytes' characters: listings must not depend on chance.</summary>
    public SortedDictionary<string, MemoryNode> Entries { get; } = new(StringComparer.Ordinal);

    /// <summary>Set when it was removed while open: nothing can be made in it any more.</summary>
    public bool IsRemoved { get; set; }

    public override Filetype Type => Filetype.Directory;

    public override ulong Size => (ulong)Entries.Count;
}

sealed class MemoryLinkNode(ulong inode, ulong nowNs, string content) : MemoryNode(inode, nowNs)
{
    public string Content { get; } = content;

    public override Filetype Type => Filetype.SymbolicLink;

    public override ulong Size => (ulong)System.Text.Encoding.UTF8.GetByteCount(Content);
}

/// <summary>A file's bytes; those of an asset are shared by all runs and never written.</summary>
sealed class MemoryFileNode(ulong inode, ulong nowNs, ReadOnlyMemory<byte> content) : MemoryNode(inode, nowNs)
{
    byte[] _own = [];
    ReadOnlyMemory<byte> _content = content;

    public override Filetype Type => Filetype.RegularFile;

    public override ulong Size => (ulong)_content.Length;

    public int Length => _content.Length;

    /// <summary>How many handles are open: the bytes live until the last one and the last name are gone.</summary>
    public int OpenCount { get; set; }

    public ReadOnlySpan<byte> From(ulong offset) =>
        offset >= (ulong)_content.Length ? [] : _content.Span[(int)offset..];

    public void Write(ReadOnlySpan<byte> bytes, int offset)
    {
        if (offset + bytes.Length > Length) SetLength(offset + bytes.Length);
        bytes.CopyTo(_own.AsSpan(offset));
    }

    public void SetLength(int length)
    {
        if (length > _own.Length)
            Array.Resize(ref _own, Math.Max(length, (int)Math.Min(int.MaxValue / 2, _own.Length * 2L)));
        if (length < Length) _own.AsSpan(length, Length - length).Clear();
        _content = _own.AsMemory(0, length);
    }
}
