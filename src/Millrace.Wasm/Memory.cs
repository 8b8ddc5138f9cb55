using System.Runtime.InteropServices;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm;

/// <summary>A linear memory. Freed with its store.</summary>
public sealed unsafe class Memory
{
    /// <summary>Bytes of a page.</summary>
    public const int PageBytes = 65536;

    const long PagesOf32Bits = 65536;

    readonly bool _isPortable;
    AddressRange? _range;

    /// <summary>A memory of the host's making.</summary>
    /// <param name="store">Its owner.</param>
    /// <param name="pagesMin">Initial size in pages of 64 KiB.</param>
    /// <param name="pagesMax">Largest size, or null for the most that 32-bit addresses reach.</param>
    /// <exception cref="LinkException">The store's limits or the system do not allow the initial size.</exception>
    public Memory(Store store, long pagesMin, long? pagesMax = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pagesMin);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pagesMin, pagesMax ?? PagesOf32Bits, nameof(pagesMin));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pagesMax ?? 0, PagesOf32Bits);
        Store = store;
        PagesMax = pagesMax;
        _isPortable = store.Engine.Options.IsPortable;
        store.Own(this);
        if (!_isPortable) Reserve(pagesMin);
        if (Grow(pagesMin) < 0)
            throw new LinkException($"a memory of {pagesMin} pages is more than the store or the system allows");
    }

    internal Store Store { get; }

    internal byte* Base;

    internal long Length;

    /// <summary>Declared maximum in pages, if any.</summary>
    public long? PagesMax { get; }

    /// <summary>Size now, in bytes.</summary>
    public long ByteLength => Length;

    /// <summary>
    /// A view of <paramref name="length"/> bytes at <paramref name="address"/>. Valid until the guest runs again or
    /// the store is disposed.
    /// </summary>
    /// <exception cref="TrapException"><see cref="TrapCode.OutOfBoundsMemoryAccess"/>.</exception>
    public Span<byte> Span(uint address, uint length)
    {
        if (!TrySpan(address, length, out var span)) Traps.OutOfBoundsMemoryAccess();
        return span;
    }

    /// <summary>As <see cref="Span"/>, but answers false where the range is outside.</summary>
    public bool TrySpan(uint address, uint length, out Span<byte> span)
    {
        var isInside = (ulong)address + length <= (ulong)Length && length <= int.MaxValue;
        span = isInside ? new Span<byte>(Base + address, (int)length) : default;
        return isInside;
    }

    /// <summary>Grows by that many pages; the former size in pages, or −1 where a limit forbids it.</summary>
    public long Grow(long pages)
    {
        var before = Length / PageBytes;
        if (pages == 0) return before;
        if (pages < 0 || pages > (PagesMax ?? PagesOf32Bits) - before) return -1;
        var bytes = pages * PageBytes;
        if (!Store.TryCharge(bytes)) return -1;
        if (!(_isPortable ? TryReallocate(Length + bytes) : _range!.SetUsable((nuint)(Length + bytes))))
        {
            Store.TryCharge(-bytes);
            return -1;
        }
        Length += bytes;
        return before;
    }

    internal void Free()
    {
        if (_isPortable) NativeMemory.Free(Base);
        else _range?.Release();
        _range = null;
        Base = null;
        Length = 0;
    }

    void Reserve(long pages)
    {
        var bytesMax = Math.Min((ulong)(PagesMax ?? PagesOf32Bits) * PageBytes, (ulong)Store.Limits.MemoryBytesMax);
        _range = AddressRange.Reserve(bytesMax, (nuint)(pages * PageBytes))
            ?? throw new LinkException("no address space is left for a memory");
        Base = (byte*)_range.Address;
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
