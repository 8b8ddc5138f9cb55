using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Files;

/// <summary>What a descriptor number stands for: a node and what may be done with it.</summary>
sealed class Descriptor(OpenNode node, Rights rights, Rights inheriting) : IDisposable
{
    public OpenNode Node { get; } = node;

    public Rights Rights { get; set; } = rights;

    /// <summary>Rights of what is opened through it.</summary>
    public Rights Inheriting { get; set; } = inheriting;

    /// <summary>For a preopened directory: the name that the guest knows it by.</summary>
    public string? PreopenName { get; init; }

    /// <summary>The listing that <c>fd_readdir</c> pages through; a cookie is an index in it.</summary>
    public List<DirectoryEntry>? Listing { get; set; }

    public void Dispose() => Node.Dispose();
}

/// <summary>Descriptors by number; a new one gets the lowest free number, as POSIX has it.</summary>
sealed class DescriptorTable(int countMax) : IDisposable
{
    const long ListedEntriesMax = 1 << 20;

    readonly List<Descriptor?> _slots = [];

    public bool TryFind(uint number, out Descriptor descriptor)
    {
        descriptor = (number < (uint)_slots.Count ? _slots[(int)number] : null)!;
        return descriptor is not null;
    }

    public bool TryAdd(Descriptor descriptor, out uint number)
    {
        var free = _slots.IndexOf(null);
        if (free < 0) free = _slots.Count;
        number = (uint)free;
        if (free >= countMax) return false;
        if (free == _slots.Count) _slots.Add(descriptor);
        else _slots[free] = descriptor;
        return true;
    }

    public bool HasRoom => _slots.Count < countMax || _slots.Contains(null);

    public void Close(uint number)
    {
        _slots[(int)number]!.Dispose();
        _slots[(int)number] = null;
    }

    /// <summary>Moves a descriptor onto another number, which is closed first; both exist.</summary>
    public void Renumber(uint from, uint to)
    {
        if (from == to) return;
        _slots[(int)to]!.Dispose();
        _slots[(int)to] = _slots[(int)from];
        _slots[(int)from] = null;
    }

    /// <summary>
    /// Lets go of listings when all together grew large: a guest may open one directory a thousand times, and the
    /// host's memory is not its own. A listing that is gone is made again at the cookie that is asked for.
    /// </summary>
    public void TrimListings(Descriptor kept)
    {
        if (_slots.Sum(descriptor => (long)(descriptor?.Listing?.Count ?? 0)) <= ListedEntriesMax) return;
        foreach (var descriptor in _slots)
        {
            if (descriptor is not null && descriptor != kept) descriptor.Listing = null;
        }
    }

    public void Dispose()
    {
        foreach (var descriptor in _slots) descriptor?.Dispose();
        _slots.Clear();
    }
}
