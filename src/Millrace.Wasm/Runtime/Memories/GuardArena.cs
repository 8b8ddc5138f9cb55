using System.Runtime.InteropServices;

namespace Millrace.Wasm.Runtime.Memories;

/// <summary>
/// One stretch of address space in which all memories of guard-page mode lie, so that a single compare tells whether a
/// fault is a guest's. Cut into slots of a range each; beyond the usable pages of a slot every access faults.
/// </summary>
sealed unsafe partial class GuardArena
{
    const int ProtNone = 0;
    const int MapPrivateAnonymousNoReserve = 0x2 | 0x20 | 0x4000;
    const int MapFixed = 0x10;

    // Of the 128 TiB that a process on x64 has: room for 2,000 memories; where that is refused, for fewer.
    const ulong Largest = 16UL << 40;
    const ulong Smallest = 1UL << 38;

    readonly Lock _gate = new();
    readonly Stack<nint> _free = [];
    readonly nuint _slotBytes;
    nuint _next;

    GuardArena(nint address, nuint bytes, nuint slotBytes) => (Address, Bytes, _slotBytes) = (address, bytes, slotBytes);

    public nint Address { get; }

    public nuint Bytes { get; }

    public static GuardArena? TryReserve(nuint slotBytes)
    {
        for (var bytes = Largest; bytes >= Smallest; bytes /= 2)
        {
            var address = Map(0, (nuint)bytes, ProtNone, MapPrivateAnonymousNoReserve, -1, 0);
            if (address != -1) return new(address, (nuint)bytes, slotBytes);
        }
        return null;
    }

    /// <summary>A slot that nobody uses, with no usable page; 0: there is none.</summary>
    public nint Take()
    {
        lock (_gate)
        {
            if (_free.TryPop(out var slot)) return slot;
            if (_next + _slotBytes > Bytes) return 0;
            _next += _slotBytes;
            return Address + (nint)(_next - _slotBytes);
        }
    }

    /// <summary>Takes a slot back, of which the first bytes were usable.</summary>
    public void Return(nint slot, nuint usable)
    {
        // A slot that the system does not empty is never used again.
        var isEmpty = usable == 0 || Map(slot, usable, ProtNone, MapPrivateAnonymousNoReserve | MapFixed, -1, 0) == slot;
        if (!isEmpty) return;
        lock (_gate) _free.Push(slot);
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, nint offset);
}
