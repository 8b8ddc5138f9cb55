using System.Text;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Calls;
using Millrace.Wasm;

namespace Millrace.Wasi.Tests;

/// <summary>Calls functions of preview 1 as a guest would, with room for its texts and answers.</summary>
sealed class Guest : IDisposable
{
    /// <summary>Where answers are put; texts stand above.</summary>
    public const uint Out = 64;
    public const uint Buffer = 4096;

    readonly WasiHost _host;
    uint _next = 32768;

    public Guest(WasiOptions options) => _host = new(options);

    public FakeMemory Memory { get; } = new();

    public Errno Call(string name, params object[] arguments)
    {
        var entry = CallTable.All.First(entry => entry.Name == name && entry.Parameters.Length == arguments.Length);
        Assert.Equal(entry.Type.Parameters.Length, arguments.Length);
        var values = arguments.Select((argument, i) => entry.Type.Parameters[i].Kind == ValueKind.I64
            ? Value.From(unchecked((long)ToU64(argument)))
            : Value.From(unchecked((int)ToU64(argument)))).ToArray();
        return entry.Invoke(_host.Context, Memory, values);
    }

    /// <summary>Puts a text in memory; its address and length.</summary>
    public (uint At, uint Length) Text(string text) => Bytes(Encoding.UTF8.GetBytes(text));

    public (uint At, uint Length) Bytes(byte[] bytes)
    {
        if (_next + bytes.Length > Memory.Array.Length) _next = 32768;
        var at = _next;
        bytes.CopyTo(Memory.Array, at);
        _next += (uint)(bytes.Length + 7) & ~7u;
        return (at, (uint)bytes.Length);
    }

    public Errno Path(string name, uint fd, string path, params object[] rest)
    {
        var (at, length) = Text(path);
        return Call(name, [fd, at, length, .. rest]);
    }

    public Errno Open(uint fd, string path, out uint opened, Oflags oflags = 0, Rights rights = Rights.File | Rights.Directory,
        Fdflags flags = 0, bool follow = true, Rights? inheriting = null)
    {
        var (at, length) = Text(path);
        var errno = Call(
            "path_open", fd, follow ? 1u : 0u, at, length, (uint)oflags, (ulong)rights,
            (ulong)(inheriting ?? Rights.File | Rights.Directory), (uint)flags, Out);
        opened = errno == Errno.Success ? U32(Out) : uint.MaxValue;
        return errno;
    }

    /// <summary>Opens what must open. A directory is not asked to be writable.</summary>
    public uint MustOpen(uint fd, string path, Oflags oflags = 0, Rights? rights = null, Fdflags flags = 0)
    {
        var errno = Open(fd, path, out var opened, oflags, rights ?? (oflags.HasFlag(Oflags.Directory) ? Rights.Directory : Rights.File), flags);
        Assert.Equal(Errno.Success, errno);
        return opened;
    }

    public uint MustOpenDirectory(uint fd, string path) => MustOpen(fd, path, Oflags.Directory);

    public void Create(uint fd, string path, string content = "")
    {
        var file = MustOpen(fd, path, Oflags.Creat | Oflags.Trunc);
        Assert.Equal(Errno.Success, Write(file, content));
        Assert.Equal(Errno.Success, Call("fd_close", file));
    }

    public Errno Write(uint fd, string text)
    {
        var (at, length) = Text(text);
        var vector = Vectors((at, length));
        return Call("fd_write", fd, vector, 1, Out);
    }

    public string Read(uint fd, uint count = 4096)
    {
        Assert.Equal(Errno.Success, TryRead(fd, out var text, count));
        return text;
    }

    public Errno TryRead(uint fd, out string text, uint count = 4096)
    {
        var errno = Call("fd_read", fd, Vectors((Buffer, count)), 1, Out);
        text = errno == Errno.Success ? Encoding.UTF8.GetString(Memory.Array, (int)Buffer, (int)U32(Out)) : "";
        return errno;
    }

    public string ReadAll(uint fd, string path)
    {
        var file = MustOpen(fd, path, rights: Rights.FdRead);
        var text = Read(file);
        Call("fd_close", file);
        return text;
    }

    public uint Vectors(params (uint At, uint Length)[] vectors)
    {
        var bytes = new byte[vectors.Length * 8];
        for (var i = 0; i < vectors.Length; i++)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(i * 8), vectors[i].At);
            BitConverter.TryWriteBytes(bytes.AsSpan(i * 8 + 4), vectors[i].Length);
        }

        return Bytes(bytes).At;
    }

    public Errno Stat(uint fd, string path, out Filestat stat, bool follow = true)
    {
        var (at, length) = Text(path);
        var errno = Call("path_filestat_get", fd, follow ? 1u : 0u, at, length, Out);
        stat = StatAt(Out);
        return errno;
    }

    public Filestat StatAt(uint at) => new(
        U64(at), U64(at + 8), (Filetype)Memory.Array[at + 16], U64(at + 24), U64(at + 32), U64(at + 40), U64(at + 48), U64(at + 56));

    /// <summary>A whole listing, by a buffer of a given size.</summary>
    public List<(string Name, ulong Inode, Filetype Type)> List(uint fd, uint bufferLength = 4096)
    {
        var all = new List<(string, ulong, Filetype)>();
        ulong cookie = 0;
        while (true)
        {
            Assert.Equal(Errno.Success, Call("fd_readdir", fd, Buffer, bufferLength, cookie, Out));
            var used = U32(Out);
            var at = Buffer;
            while (at + 24 <= Buffer + used && at + 24 + U32(at + 16) <= Buffer + used)
            {
                cookie = U64(at);
                var name = Encoding.UTF8.GetString(Memory.Array, (int)at + 24, (int)U32(at + 16));
                all.Add((name, U64(at + 8), (Filetype)Memory.Array[at + 20]));
                at += 24 + U32(at + 16);
            }

            if (used < bufferLength) return all;
        }
    }

    public uint U32(uint at) => BitConverter.ToUInt32(Memory.Array, (int)at);

    public ulong U64(uint at) => BitConverter.ToUInt64(Memory.Array, (int)at);

    public void Dispose() => _host.Dispose();

    static ulong ToU64(object argument) => argument switch
    {
        int value => unchecked((ulong)value),
        uint value => value,
        long value => unchecked((ulong)value),
        ulong value => value,
        _ => throw new ArgumentException($"{argument} is no number"),
    };
}
