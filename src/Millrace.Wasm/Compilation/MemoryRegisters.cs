using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>A memory as one function sees it.</summary>
/// <param name="Slot">Its place among the memories that the function uses.</param>
/// <param name="Index">Its index in the module.</param>
/// <param name="Limits">As declared.</param>
/// <param name="Base">CIL local with the address of its first byte.</param>
/// <param name="Length">CIL local with its length in bytes; negative where pages guard it.</param>
sealed record MemoryRegisters(int Slot, int Index, SizeLimits Limits, int Base, int Length)
{
    /// <summary>Bytes it has at least, whatever happens: memories never shrink. Zero for a size beyond 64 bits, of
    /// which there is no instance.</summary>
    public ulong BytesMin { get; } = unchecked(Limits.Min * Memory.PageBytes);

    /// <summary>Whether an access outside faults by itself.</summary>
    public bool IsGuarded => Length < 0;

    /// <summary>Whether addresses are <c>i64</c>.</summary>
    public bool Is64 => Limits.Is64;

    /// <summary>What an address or a number of pages is in CIL.</summary>
    public CilType AddressType => CilTypes.Of(Limits.AddressType);
}
