namespace Millrace.Wasm.Runtime.Memories;

/// <summary>
/// Ranges that wait for their next memory. So many places and no more: half a TiB of address space of 128, and
/// of memory what <see cref="WrittenPages"/> lets a range keep. Without locks: whoever swaps a range in or out of a
/// place has done it.
/// </summary>
sealed class RangePool
{
    /// <summary>Places.</summary>
    public const int WaitingMax = 64;

    // References to a line of the processor's cache: threads begin at different ones.
    const int PlacesPerLine = 8;

    [ThreadStatic]
    static int _begin; // where this thread found or left a range last, plus one

    readonly AddressRange?[] _places = new AddressRange?[WaitingMax];
    int _victim;

    /// <summary>A range with that image, or without one.</summary>
    public AddressRange? TryTake(MemoryImage? image)
    {
        var begin = Begin();
        for (var i = 0; i < WaitingMax; i++)
        {
            var place = (begin + i) % WaitingMax;
            var range = _places[place];
            if (range is null || range.Image != image) continue;
            if (Interlocked.CompareExchange(ref _places[place], null, range) != range) continue;
            _begin = place + 1;
            // Ranges keep the image that they have once had: it cannot be another one since.
            return range;
        }
        return null;
    }

    /// <summary>Keeps a range; where all places are taken, another one goes and is returned.</summary>
    public AddressRange? Put(AddressRange range)
    {
        var begin = Begin();
        for (var i = 0; i < WaitingMax; i++)
        {
            var place = (begin + i) % WaitingMax;
            if (_places[place] is not null) continue;
            if (Interlocked.CompareExchange(ref _places[place], range, null) is not null) continue;
            _begin = place + 1;
            return null;
        }
        var victim = (int)((uint)Interlocked.Increment(ref _victim) % WaitingMax);
        return Interlocked.Exchange(ref _places[victim], range);
    }

    static int Begin() => _begin != 0 ? _begin - 1 : Environment.CurrentManagedThreadId * PlacesPerLine % WaitingMax;
}
