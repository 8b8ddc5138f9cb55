using System.Runtime.InteropServices;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;
using Millrace.Wasm.Runtime.Memories;

namespace Millrace.Wasm;

/// <summary>
/// A linear memory. Freed with its store; one that threads share, with the last of the stores that use it.
/// </summary>
public sealed unsafe class Memory
{
    /// <summary>Bytes of a page.</summary>
    public const int PageBytes = 65536;

    const long PagesOf32Bits = 1L << 16;
    const long PagesOf64Bits = 1L << 48;

    readonly Lock? _sharing;
    readonly bool _isPortable;
    readonly long _pagesReach;
    AddressRange? _range;
    long _roomForGood; // shared, in the C heap: bytes allocated
    int _owners = 1;

    /// <summary>A memory of the host's making.</summary>
    /// <param name="store">Its owner.</param>
    /// <param name="pagesMin">Initial size in pages of 64 KiB.</param>
    /// <param name="pagesMax">Largest size, or null for the most that addresses reach.</param>
    /// <param name="is64">Whether addresses are <c>i64</c>.</param>
    /// <param name="isShared">Whether stores on other threads may import it; <paramref name="pagesMax"/> is then
    /// needed. Its bytes count for <paramref name="store"/>.</param>
    /// <exception cref="LinkException">The store's limits or the system do not allow the initial size.</exception>
    public Memory(Store store, long pagesMin, long? pagesMax = null, bool is64 = false, bool isShared = false)
        : this(store, pagesMin, pagesMax, is64, isShared, null) { }

    Memory(Store store, long pagesMin, long? pagesMax, bool is64, bool isShared, MemoryImage? image)
    {
        if (isShared && pagesMax is null) throw new ArgumentException("shared memory must have maximum");
        Is64 = is64;
        (_sharing, Waits) = isShared ? (new Lock(), new WaitQueue()) : default((Lock?, WaitQueue?));
        _pagesReach = is64 ? PagesOf64Bits : PagesOf32Bits;
        ArgumentOutOfRangeException.ThrowIfNegative(pagesMin);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pagesMin, pagesMax ?? _pagesReach, nameof(pagesMin));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pagesMax ?? 0, _pagesReach);
        Store = store;
        PagesMax = pagesMax;
        _isPortable = store.Engine.Options.IsPortable;
        store.Own(this);
        if (!_isPortable) Reserve(pagesMin, image);
        else if (isShared) AllocateForGood();
        if (Grow(pagesMin) >= 0) return;
        throw new LinkException($"a memory of {pagesMin} pages is more than the system allows or the store, whose memories "
            + $"may have {store.Limits.MemoryBytesMax} bytes");
    }

    internal Memory(Store store, SizeLimits limits, MemoryImage? image = null)
        : this(store, (long)limits.Min, (long?)limits.Max, limits.Is64, limits.IsShared, image) { }

    /// <summary>Whether it was made with the image it was asked to have.</summary>
    internal bool HasImage => _range?.Image is not null;

    internal Store Store { get; }

    internal byte* Base;

    /// <summary>The address of its first byte.</summary>
    internal nint Address => (nint)Base;

    internal long Length;

    /// <summary>Whether addresses are <c>i64</c>.</summary>
    public bool Is64 { get; }

    /// <summary>Whether threads may share it.</summary>
    public bool IsShared => _sharing is not null;

    /// <summary>Who waits for it; null unless it is shared.</summary>
    internal WaitQueue? Waits { get; }

    /// <summary>Declared maximum in pages, if any.</summary>
    public long? PagesMax { get; }

    /// <summary>Size now, in bytes.</summary>
    public long ByteLength => Length;

    /// <summary>
    /// A view of <paramref name="length"/> bytes at <paramref name="address"/>. Valid until the guest runs again or
    /// the store is disposed.
    /// </summary>
    /// <exception cref="TrapException"><see cref="TrapCode.OutOfBoundsMemoryAccess"/>.</exception>
    public Span<byte> Span(ulong address, uint length)
    {
        if (!TrySpan(address, length, out var span)) Traps.OutOfBoundsMemoryAccess();
        return span;
    }

    /// <summary>As <see cref="Span"/>, but answers false where the range is outside.</summary>
    public bool TrySpan(ulong address, uint length, out Span<byte> span)
    {
        var end = (ulong)Length;
        var isInside = address <= end && length <= end - address && length <= int.MaxValue;
        span = isInside ? new Span<byte>(Base + address, (int)length) : default;
        return isInside;
    }

    /// <summary>Grows by that many pages; the former size in pages, or −1 where a limit forbids it.</summary>
    public long Grow(long pages)
    {
        if (_sharing is null) return GrowAlone(pages);
        lock (_sharing) return GrowAlone(pages);
    }

    long GrowAlone(long pages)
    {
        var before = Length / PageBytes;
        if (pages == 0) return before;
        if (pages < 0 || pages > (PagesMax ?? _pagesReach) - before) return -1;
        var bytes = Bytes(pages);
        if (!Store.TryCharge(bytes)) return -1;
        if (!TryLengthen(Length + bytes))
        {
            Store.TryCharge(-bytes);
            return -1;
        }
        Volatile.Write(ref Length, Length + bytes);
        return before;
    }

    /// <summary>Counts another store in that uses it; false: it was freed already.</summary>
    internal bool TryShare()
    {
        lock (_sharing!)
        {
            if (_owners == 0) return false;
            _owners++;
            return true;
        }
    }

    internal void Free()
    {
        if (_sharing is null)
        {
            Release();
            return;
        }
        lock (_sharing)
            if (--_owners == 0) Release();
    }

    void Release()
    {
        if (_isPortable) NativeMemory.Free(Base);
        else _range?.Release();
        _range = null;
        Base = null;
        Length = 0;
    }

    void Reserve(long pages, MemoryImage? image)
    {
        var bytesMax = Math.Min(Bytes(PagesMax ?? _pagesReach), Store.Limits.MemoryBytesMax);
        _range = AddressRange.Reserve((ulong)bytesMax, (nuint)Bytes(pages), image,
            Is64 ? null : Store.Engine.Arena)
            ?? throw new LinkException("no address space is left for a memory");
        Base = (byte*)_range.Address;
    }

    // As many as 64-bit addresses could reach do not fit a long: more than any system gives, as this is.
    static long Bytes(long pages) => Math.Min(pages, long.MaxValue / PageBytes) * PageBytes;

    // Other threads hold its base: it must not move.
    void AllocateForGood()
    {
        _roomForGood = Math.Min(Bytes(PagesMax!.Value), Store.Limits.MemoryBytesMax);
        try
        {
            Base = (byte*)NativeMemory.AllocZeroed((nuint)_roomForGood);
        }
        catch (OutOfMemoryException)
        {
            throw new LinkException($"the system has no room for a shared memory of {PagesMax} pages");
        }
    }

    bool TryLengthen(long length)
    {
        if (!_isPortable) return _range!.SetUsable((nuint)length);
        return IsShared ? length <= _roomForGood : TryReallocate(length);
    }

    bool TryReallocate(long length)
    {
        var grown = (byte*)TryAllocate(Base, (nuint)length);
        if (grown == null) return false;
        NativeMemory.Clear(grown + Length, (nuint)(length - Length));
        Base = grown;
        return true;
    }

    static void* TryAllocate(void* old, nuint length)
    {
        try
        {
            return NativeMemory.Realloc(old, length);
        }
        catch (OutOfMemoryException)
        {
            return null; // the guest's grow fails, as it may
        }
    }
}
