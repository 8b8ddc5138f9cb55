using System.Text;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Files;
using Millrace.Wasi.Sockets;

namespace Millrace.Wasi.Calls;

/// <summary>What the calls of one guest work on.</summary>
sealed class WasiContext : IDisposable
{
    public WasiContext(WasiOptions options, IWasiSystem system)
    {
        System = system;
        Network = new(options, system);
        Arguments = [.. options.Arguments.Select(ZeroEnded)];
        Environment = [.. options.Environment.Select(pair => ZeroEnded($"{pair.Key}={pair.Value}"))];
        Table = new(options.DescriptorsMax);
        AddStream(options.Stdin, Rights.InputStream, options.IsTerminal);
        AddStream(options.Stdout, Rights.OutputStream, options.IsTerminal);
        AddStream(options.Stderr, Rights.OutputStream, options.IsTerminal);
    }

    public IWasiSystem System { get; }

    public DescriptorTable Table { get; }

    public Network Network { get; }

    /// <summary>Each with its closing zero.</summary>
    public byte[][] Arguments { get; }

    /// <summary>Each with its closing zero.</summary>
    public byte[][] Environment { get; }

    public void AddPreopen(OpenDirectory directory, string name, Rights refused) => Table.TryAdd(
        new(directory, Rights.Directory & ~refused, (Rights.Directory | Rights.File) & ~refused) { PreopenName = name },
        out _);

    /// <summary>The descriptor, when it exists and has these rights.</summary>
    public Errno Find(uint number, Rights needed, out Descriptor descriptor)
    {
        if (!Table.TryFind(number, out descriptor)) return Errno.Badf;
        return (descriptor.Rights & needed) == needed ? Errno.Success : Errno.Notcapable;
    }

    /// <summary>As <see cref="Find"/>, for what only a file can do.</summary>
    public Errno FindFile(uint number, Rights needed, out Descriptor descriptor, out OpenFile file)
    {
        file = null!;
        if (!Table.TryFind(number, out descriptor)) return Errno.Badf;
        if (descriptor.Node is not OpenFile found) return Errno.Isdir;
        file = found;
        return (descriptor.Rights & needed) == needed ? Errno.Success : Errno.Notcapable;
    }

    /// <summary>As <see cref="Find"/>, for what only a socket can do.</summary>
    public Errno FindSocket(uint number, Rights needed, out OpenSocket socket)
    {
        socket = null!;
        if (!Table.TryFind(number, out var descriptor)) return Errno.Badf;
        if (descriptor.Node is not OpenSocket found) return Errno.Notsock;
        socket = found;
        return (descriptor.Rights & needed) == needed ? Errno.Success : Errno.Notcapable;
    }

    /// <summary>As <see cref="Find"/>, for what only a directory can do.</summary>
    public Errno FindDirectory(uint number, Rights needed, out Descriptor descriptor, out OpenDirectory directory)
    {
        directory = null!;
        if (!Table.TryFind(number, out descriptor)) return Errno.Badf;
        if (descriptor.Node is not OpenDirectory found) return Errno.Notdir;
        directory = found;
        return (descriptor.Rights & needed) == needed ? Errno.Success : Errno.Notcapable;
    }

    public void Dispose() => Table.Dispose();

    void AddStream(Stream stream, Rights rights, bool isTerminal) =>
        Table.TryAdd(new(new StreamFile(stream, isTerminal), rights, Rights.None), out _);

    static byte[] ZeroEnded(string text)
    {
        if (text.Contains('\0')) throw new ArgumentException("an argument or variable holds a zero character");
        return Encoding.UTF8.GetBytes(text + '\0');
    }
}
