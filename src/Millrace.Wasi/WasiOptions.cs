using System.Collections.Immutable;
using Millrace.Wasi.Posix;
using Millrace.Wasm;

namespace Millrace.Wasi;

/// <summary>A directory of the host that a program sees.</summary>
/// <param name="HostPath">Where it is.</param>
/// <param name="GuestPath">What the guest calls it.</param>
/// <param name="IsReadOnly">Whether nothing under it can be changed.</param>
public sealed record Preopen(string HostPath, string GuestPath, bool IsReadOnly)
{
    /// <summary>Reads <c>host</c>, <c>host::guest</c> or <c>host::guest:ro</c>.</summary>
    /// <exception cref="FormatException">A part is empty.</exception>
    public static Preopen Parse(string text)
    {
        var isReadOnly = text.EndsWith(":ro", StringComparison.Ordinal);
        var paths = (isReadOnly ? text[..^3] : text).Split("::", 2);
        var preopen = new Preopen(paths[0], paths[^1], isReadOnly);
        if (preopen.HostPath.Length == 0 || preopen.GuestPath.Length == 0)
            throw new FormatException($"'{text}' names no directory: write host, host::guest or host::guest:ro");
        return preopen;
    }
}

/// <summary>What a guest finds around it.</summary>
public sealed record WasiOptions
{
    /// <summary>Program arguments; the first is the program's name.</summary>
    public ImmutableArray<string> Arguments { get; init; } = [];

    /// <summary>Environment variables, in the order the guest lists them.</summary>
    public ImmutableSortedDictionary<string, string> Environment { get; init; } =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>Standard input. Default: empty.</summary>
    public Stream Stdin { get; init; } = Stream.Null;

    /// <summary>Standard output. Default: dropped.</summary>
    public Stream Stdout { get; init; } = Stream.Null;

    /// <summary>Standard error. Default: dropped.</summary>
    public Stream Stderr { get; init; } = Stream.Null;

    /// <summary>Whether the standard streams are a terminal, so that the guest writes line by line.</summary>
    public bool IsTerminal { get; init; }

    /// <summary>Directories of the host, as descriptors from 3.</summary>
    public ImmutableArray<Preopen> Preopens { get; init; } = [];

    /// <summary>Files in memory, preopened as <c>/</c> after the host's directories; null: none.</summary>
    public MemoryFiles? Files { get; init; }

    /// <summary>Time and chance. Default: the machine's.</summary>
    public IWasiSystem? System { get; init; }

    /// <summary>Where the default <see cref="System"/> reads the time.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Ends a sleep of the default <see cref="System"/> with <see cref="TrapCode.Interrupted"/>.</summary>
    public CancellationToken Stop { get; init; }

    /// <summary>
    /// Opens files by a walk in managed code instead of the kernel's. It refuses the same paths, but a link that is
    /// swapped in between check and open is noticed only after the open.
    /// </summary>
    public bool IsPortable { get; init; }

    /// <summary>Whether this machine's kernel can walk paths below a preopen by itself (openat2, Linux 5.6).</summary>
    public static bool IsKernelWalkSupported => OperatingSystem.IsLinux() && PosixDirectory.IsSupported;

    /// <summary>Addresses that the guest may connect and send to. Default: none.</summary>
    public ImmutableArray<NetworkGrant> Connect { get; init; } = [];

    /// <summary>Addresses that the guest may take connections and datagrams at. Default: none.</summary>
    public ImmutableArray<NetworkGrant> Listen { get; init; } = [];

    /// <summary>Sockets open at one time; they are descriptors too.</summary>
    public int SocketsMax { get; init; } = 256;

    /// <summary>Descriptors open at one time.</summary>
    public int DescriptorsMax { get; init; } = 1024;
}
