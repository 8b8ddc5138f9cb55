using System.Runtime.InteropServices;

namespace Millrace.Wasm.Runtime.Memories;

/// <summary>
/// Reserved address space in which a linear memory lives: as long as any 32-bit address plus any 32-bit offset can
/// reach, of which only the pages in use may be touched. The base never moves, and a check that the compiler got
/// wrong kills the process instead of reading the host. What 64-bit addresses reach cannot be reserved: the checks alone
/// guard such a memory. Linux only; portable mode has the C heap instead.
/// </summary>
/// <remarks>
/// Reserving and giving back 8 GiB costs more than all else that makes an instance, so a few ranges wait for the next
/// memory (<see cref="RangePool"/>). What was written to their pages is given back to the system, which then shows
/// zeros again, or what the range's <see cref="MemoryImage"/> holds; where it is little, it is written over with that.
/// </remarks>
sealed partial class AddressRange
{
    const int ProtNone = 0;
    const int ProtReadWrite = 3;
    const int MapPrivateAnonymousNoReserve = 0x2 | 0x20 | 0x4000;
    const int AdviseDontNeed = 4;

    // 4 GiB of address + 4 GiB of offset + the widest access, in whole pages.
    const ulong Reach = (8UL << 30) + 0x10000;

    // Half of what a process on x64 or arm64 can address.
    const ulong LargestTried = 1UL << 46;

    static readonly RangePool Unguarded = new();
    static readonly RangePool Guarded = new();

    readonly nuint _reserved;
    readonly GuardArena? _arena;
    nuint _usable;

    AddressRange(nint address, nuint reserved, GuardArena? arena) =>
        (Address, _reserved, _arena) = (address, reserved, arena);

    /// <summary>Bytes of a range that no 32-bit address leads out of.</summary>
    public static nuint ReachBytes => unchecked((nuint)Reach);

    public nint Address { get; }

    /// <summary>What lies in it before anything is written; null for zeros alone.</summary>
    public MemoryImage? Image { get; private set; }

    /// <summary>
    /// A range for a memory of at most <paramref name="bytesMax"/>, of which <paramref name="bytes"/> will be asked for
    /// at once; null when there is no room. It has the image unless the system refuses to map that.
    /// </summary>
    /// <param name="bytesMax">What it may grow to.</param>
    /// <param name="bytes">What it begins with.</param>
    /// <param name="image">What it is to hold.</param>
    /// <param name="arena">Where faults become traps: the range lies there, and has the full reach.</param>
    public static AddressRange? Reserve(
        ulong bytesMax, nuint bytes, MemoryImage? image = null, GuardArena? arena = null)
    {
        var range = arena is null ? Reserve(bytesMax, image) : ReserveIn(arena, image);
        if (range is null) return null;
        // Usable and of this image already, as nearly always: not one call of the system.
        if (range._usable > bytes && !range.SetUsable(bytes))
        {
            range.Unmap();
            return Reserve(bytesMax, bytes, image, arena);
        }
        if (range.Image is null && image is not null && range.SetUsable(bytes) && image.TryMap(range.Address))
            range.Image = image;
        return range;
    }

    /// <summary>Makes exactly the first bytes usable; new ones read as zero. False when the system refuses.</summary>
    public bool SetUsable(nuint bytes)
    {
        if (bytes > _reserved) return false;
        var (from, to, protection) = bytes > _usable ? (_usable, bytes, ProtReadWrite) : (bytes, _usable, ProtNone);
        if (from != to && Protect(Address + (nint)from, to - from, protection) != 0) return false;
        _usable = bytes;
        return true;
    }

    /// <summary>Gives what was written back. Nobody may use the range any more.</summary>
    public void Release()
    {
        // Whoever gets the range next must find nothing of this owner: without the system's word for it, the range goes.
        var isClean = _reserved == ReachBytes && Image is not { IsClosed: true }
            && (_usable == 0 || TryRestore() || Advise(Address, _usable, AdviseDontNeed) == 0);
        var gone = isClean ? (_arena is null ? Unguarded : Guarded).Put(this) : this;
        gone?.Unmap();
    }

    // A few written pages are written over with what was there at first: to touch a page that the system gives anew
    // costs more than to copy it, and taking it away stops other threads.
    unsafe bool TryRestore()
    {
        Span<WrittenPages.Run> runs = stackalloc WrittenPages.Run[WrittenPages.RunsMax];
        if (!WrittenPages.TryFind(Address, _usable, runs, out var count)) return false;
        foreach (var run in runs[..count])
        {
            NativeMemory.Clear((void*)(Address + (nint)run.From), run.Length);
            if (Image is not null && !Image.TryCopy(Address, run.From, run.Length)) return false;
        }
        return true;
    }

    /// <summary>Lets go of the ranges that wait with an image that nobody will ask for again.</summary>
    public static void Forget(MemoryImage image)
    {
        while ((Unguarded.TryTake(image) ?? Guarded.TryTake(image)) is { } range) range.Unmap();
    }

    static AddressRange? Reserve(ulong bytesMax, MemoryImage? image)
    {
        // A 64-bit memory may grow beyond the common length: as far as there is room.
        for (var large = Math.Min(bytesMax, LargestTried); large > Reach; large /= 2)
            if (Map((nuint)large) is { } range) return range;

        // Where little address space is left (ulimit -v): what the memory may grow to; the checks alone guard it then.
        return Waiting(Unguarded, image) ?? Map(ReachBytes) ?? Map((nuint)Math.Max(bytesMax, 0x10000));
    }

    static AddressRange? ReserveIn(GuardArena arena, MemoryImage? image)
    {
        if (Waiting(Guarded, image) is { } waiting) return waiting;
        var slot = arena.Take();
        return slot == 0 ? null : new(slot, ReachBytes, arena);
    }

    static AddressRange? Waiting(RangePool pool, MemoryImage? image) =>
        pool.TryTake(image) ?? (image is null ? null : pool.TryTake(null));

    static AddressRange? Map(nuint reserved)
    {
        var address = Map(0, reserved, ProtNone, MapPrivateAnonymousNoReserve, -1, 0);
        return address == -1 ? null : new(address, reserved, null);
    }

    void Unmap()
    {
        if (_arena is null) _ = Unmap(Address, _reserved);
        else _arena.Return(Address, _usable);
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
