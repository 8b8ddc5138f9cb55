using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Millrace.Wasm.Runtime.Memories;

/// <summary>
/// Which pages of a range are its own by now, as the kernel tells in <c>/proc/self/pagemap</c>: those that were written
/// since it was empty, or showed an image. It may name more, never fewer.
/// </summary>
static class WrittenPages
{
    /// <summary>Runs of pages that are told apart.</summary>
    public const int RunsMax = 16;

    // What is looked through, and what is kept of a range that waits.
    const int PagesMax = 1024;
    const int KeptMax = 64;

    // Documentation/admin-guide/mm/pagemap.rst: a page is there, is in swap (or on its way), is a file's or shared.
    const ulong IsThere = 1UL << 63;
    const ulong IsSwapped = 1UL << 62;
    const ulong IsOfFile = 1UL << 61;

    static readonly nuint PageBytes = (nuint)Environment.SystemPageSize;
    static readonly SafeFileHandle? Map = Open();

    /// <summary>A run of bytes from the start of the range on.</summary>
    public readonly record struct Run(nuint From, nuint Length);

    /// <summary>Finds them; false where they are too many to keep, or the system does not say.</summary>
    public static bool TryFind(nint address, nuint bytes, Span<Run> runs, out int count)
    {
        count = 0;
        var pages = bytes / PageBytes;
        if (Map is null || pages > PagesMax || bytes % PageBytes != 0) return false;
        Span<ulong> entries = stackalloc ulong[(int)pages];
        if (!TryRead((long)((nuint)address / PageBytes), entries)) return false;
        var kept = 0;
        for (var i = 0; i < entries.Length; i++)
        {
            if ((entries[i] & (IsThere | IsSwapped)) == 0 || (entries[i] & IsOfFile) != 0) continue;
            if (++kept > KeptMax) return false;
            var from = (nuint)i * PageBytes;
            if (count > 0 && runs[count - 1] is var last && last.From + last.Length == from)
                runs[count - 1] = new(last.From, last.Length + PageBytes);
            else if (count == RunsMax) return false;
            else runs[count++] = new(from, PageBytes);
        }
        return true;
    }

    static bool TryRead(long page, Span<ulong> entries)
    {
        try
        {
            var wanted = MemoryMarshal.AsBytes(entries);
            return RandomAccess.Read(Map!, wanted, page * sizeof(ulong)) == wanted.Length;
        }
        catch (IOException)
        {
            return false;
        }
    }

    static SafeFileHandle? Open()
    {
        try
        {
            return OperatingSystem.IsLinux() ? File.OpenHandle("/proc/self/pagemap") : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // where there is no /proc, pages go back to the system
        }
    }
}
