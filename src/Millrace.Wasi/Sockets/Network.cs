using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Millrace.Wasi.Abi;
using Millrace.Wasm;

namespace Millrace.Wasi.Sockets;

/// <summary>The network as one guest may use it: its grants, how many sockets it has, and waiting for them.</summary>
sealed class Network(WasiOptions options, IWasiSystem system)
{
    // A wait is cut into pieces, since nothing but time wakes a thread that waits for sockets.
    const long SliceUs = 20_000;

    readonly Dictionary<string, HashSet<IPAddress>> _resolved = new(StringComparer.OrdinalIgnoreCase);
    int _openCount;

    /// <summary>Whether there is any address that the guest may use.</summary>
    public bool IsOpen => !options.Connect.IsEmpty || !options.Listen.IsEmpty;

    public bool HasRoom => _openCount < options.SocketsMax;

    public bool MayConnect(IPEndPoint to) => Allows(options.Connect, to);

    public bool MayListen(IPEndPoint at) => Allows(options.Listen, at);

    /// <summary>Counts a socket; <see cref="Closed"/> gives its place back.</summary>
    public void Opened() => _openCount++;

    public void Closed() => _openCount--;

    /// <summary>The addresses of a name that is an address itself or that a grant allows to ask for.</summary>
    public Errno Resolve(string name, out IPAddress[] addresses)
    {
        addresses = [];
        if (IPAddress.TryParse(name, out var address))
        {
            addresses = [address];
            return Errno.Success;
        }

        name = name.TrimEnd('.');
        var isGranted = options.Connect.Concat(options.Listen).Any(
            grant => grant.IsAnyHost || grant.Host.Equals(name, StringComparison.OrdinalIgnoreCase));
        return isGranted ? Ask(name, out addresses) : Errno.Acces;
    }

    /// <summary>Waits until one socket is ready; false: the time is over first.</summary>
    /// <exception cref="TrapException">The guest is stopped meanwhile.</exception>
    public bool Wait(IReadOnlyCollection<Socket> readable, IReadOnlyCollection<Socket> writable, ulong? waitNs)
    {
        var start = system.ReadClock(WasiClock.Monotonic);
        while (true)
        {
            ThrowIfStopped();
            var passedNs = (ulong)Math.Max(0, system.ReadClock(WasiClock.Monotonic) - start);
            var leftNs = waitNs is { } all ? all - Math.Min(all, passedNs) : ulong.MaxValue;
            var sliceUs = Math.Min(SliceUs, (long)(leftNs / 1000) + (leftNs % 1000 == 0 ? 0 : 1));
            // The lists come back with what is ready.
            var (read, write) = (new List<Socket>(readable), new List<Socket>(writable));
            Socket.Select(read, write, null, (int)sliceUs);
            if (read.Count + write.Count > 0) return true;
            if (leftNs == 0) return false;
        }
    }

    /// <exception cref="TrapException">The guest is stopped.</exception>
    public void ThrowIfStopped()
    {
        if (options.Stop.IsCancellationRequested) throw new TrapException(TrapCode.Interrupted);
    }

    bool Allows(ImmutableArray<NetworkGrant> grants, IPEndPoint at)
    {
        var address = at.Address.IsIPv4MappedToIPv6 ? at.Address.MapToIPv4() : at.Address;
        foreach (var grant in grants)
        {
            if (!grant.HasPort(at.Port)) continue;
            if (grant.IsAnyHost || grant.Address is { } own && own.Equals(address)) return true;
            if (grant.Address is null && IsOf(grant.Host, address)) return true;
        }

        return false;
    }

    /// <summary>Whether an address is one that a granted name has or had; guests may know it from elsewhere.</summary>
    bool IsOf(string name, IPAddress address)
    {
        if (!_resolved.ContainsKey(name)) Ask(name, out _);
        return _resolved.TryGetValue(name, out var known) && known.Contains(address);
    }

    Errno Ask(string name, out IPAddress[] addresses)
    {
        addresses = [];
        try
        {
            addresses = Dns.GetHostAddressesAsync(name, options.Stop).WaitAsync(options.Stop).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException)
        {
            throw new TrapException(TrapCode.Interrupted);
        }
        catch (SocketException e)
        {
            return SocketErrno.FromResolution(e.SocketErrorCode);
        }
        catch (ArgumentException)
        {
            return Errno.Ainoname;
        }

        // Names that any host's grant let through are not kept: a guest could ask for them without end.
        if (!options.Connect.Concat(options.Listen).Any(IsNamed)) return Errno.Success;
        if (!_resolved.TryGetValue(name, out var known)) _resolved[name] = known = [];
        known.UnionWith(addresses);
        return Errno.Success;

        bool IsNamed(NetworkGrant grant) => grant.Host.Equals(name, StringComparison.OrdinalIgnoreCase);
    }
}
