using System.Runtime.InteropServices;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// Where a linear memory lives. On Linux: a reserved range as long as any 32-bit address plus any 32-bit offset can
/// reach, of which only the pages in use may be touched. The base never moves, and a check that the compiler got
/// wrong kills the process instead of reading the host. Elsewhere, and in portable mode: the C heap, where growing
/// may move the base.
/// </summary>
static unsafe partial class AddressSpace
{
    const int ProtNone = 0;
    const int ProtReadWrite = 3;
    const int MapPrivateAnonymousNoReserve = 0x2 | 0x20 | 0x4000;

    // 4 GiB of address + 4 GiB of offset + the widest access, in whole pages.
    const ulong Reach = (8UL << 30) + 0x10000;

    /// <summary>A range for a memory of at most <paramref name="bytesMax"/>; null when there is no room.</summary>
    public static byte* Reserve(ulong bytesMax, out nuint reserved)
    {
        reserved = unchecked((nuint)Reach);
        var address = Map(0, reserved, ProtNone, MapPrivateAnonymousNoReserve, -1, 0);
        if (address != -1) return (byte*)address;
        // Little address space (ulimit -v): take what the memory may grow to; explicit checks alone guard it then.
        reserved = (nuint)Math.Max(bytesMax, 0x10000);
        address = Map(0, reserved, ProtNone, MapPrivateAnonymousNoReserve, -1, 0);
        return address == -1 ? null : (byte*)address;
    }

    /// <summary>Makes the first bytes usable; they read as zero. False when the system refuses.</summary>
    public static bool Commit(byte* address, nuint bytes) =>
        bytes == 0 || Protect((nint)address, bytes, ProtReadWrite) == 0;

    public static void Release(byte* address, nuint reserved) => _ = Unmap((nint)address, reserved);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}
