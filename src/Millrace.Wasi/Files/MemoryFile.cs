using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Files;

/// <summary>An open file in memory.</summary>
sealed class MemoryFile : OpenFile
{
    readonly MemoryFiles _files;
    readonly MemoryFileNode _node;
    Fdflags _flags;
    long _position;

    public MemoryFile(MemoryFiles files, MemoryFileNode node, Fdflags flags)
    {
        (_files, _node, _flags) = (files, node, flags);
        node.OpenCount++;
    }

    public override Filetype Type => Filetype.RegularFile;

    public override Fdflags Flags => _flags;

    public override Errno Read(Span<byte> buffer, out int count)
    {
        var errno = ReadAt(buffer, (ulong)_position, out count);
        _position += count;
        return errno;
    }

    public override Errno Write(ReadOnlySpan<byte> bytes, out int count)
    {
        if (_flags.HasFlag(Fdflags.Append)) _position = _node.Length;
        var errno = WriteAt(bytes, (ulong)_position, out count);
        _position += count;
        return errno;
    }

    public override Errno ReadAt(Span<byte> buffer, ulong offset, out int count)
    {
        var from = _node.From(offset);
        count = Math.Min(from.Length, buffer.Length);
        from[..count].CopyTo(buffer);
        return Errno.Success;
    }

    public override Errno WriteAt(ReadOnlySpan<byte> bytes, ulong offset, out int count)
    {
        count = 0;
        if (bytes.Length == 0) return Errno.Success;
        if (offset > (ulong)(Array.MaxLength - bytes.Length)) return Errno.Fbig;
        var errno = Reserve((long)offset + bytes.Length);
        if (errno != Errno.Success) return errno;
        _node.Write(bytes, (int)offset);
        _node.ModifiedNs = _node.ChangedNs = _files.NowNs;
        count = bytes.Length;
        return Errno.Success;
    }

    public override Errno Seek(long delta, Whence whence, out ulong position)
    {
        var from = whence switch { Whence.Set => 0, Whence.Cur => _position, _ => _node.Length };
        position = (ulong)_position;
        if (delta > 0 && from > long.MaxValue - delta) return Errno.Overflow;
        if (from + delta < 0) return Errno.Inval;
        _position = from + delta;
        position = (ulong)_position;
        return Errno.Success;
    }

    public override Errno SetSize(ulong size)
    {
        if (_node.IsReadOnly) return Errno.Rofs;
        if (size > (ulong)Array.MaxLength) return Errno.Fbig;
        if ((long)size <= _node.Length)
        {
            _files.TryCharge((long)size - _node.Length);
        }
        else
        {
            var errno = Reserve((long)size);
            if (errno != Errno.Success) return errno;
        }

        _node.SetLength((int)size);
        _node.ModifiedNs = _node.ChangedNs = _files.NowNs;
        return Errno.Success;
    }

    public override Errno Allocate(ulong offset, ulong length) =>
        offset + length <= (ulong)_node.Length ? Errno.Success : SetSize(offset + length);

    public override Errno SetFlags(Fdflags flags)
    {
        _flags = flags;
        return Errno.Success;
    }

    public override Errno Stat(out Filestat stat)
    {
        stat = _node.Stat();
        return Errno.Success;
    }

    public override Errno SetTimes(FileTimes times) => MemoryDirectory.SetTimes(_files, _node, times);

    public override Errno Sync(bool isDataOnly) => Errno.Success;

    protected override void Close()
    {
        if (--_node.OpenCount == 0 && _node.Links == 0) _files.TryCharge(-_node.Length);
    }

    /// <summary>Pays for growth up to a length.</summary>
    Errno Reserve(long length)
    {
        if (_node.IsReadOnly) return Errno.Rofs;
        var growth = Math.Max(0, length - _node.Length);
        return _files.TryCharge(growth) ? Errno.Success : Errno.Nospc;
    }
}
