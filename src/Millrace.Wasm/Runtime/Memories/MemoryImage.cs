using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Millrace.Wasm.Runtime.Memories;

/// <summary>
/// What a memory holds when it is made, in a file that lives in memory and that nobody can change any more. Memories
/// map it copy-on-write: a page costs nothing until it is touched, and its own copy only where it is written.
/// </summary>
sealed partial class MemoryImage
{
    const uint CloseOnExec = 1;
    const uint AllowSealing = 2;
    const int AddSeals = 1033;
    const int SealAll = 1 | 2 | 4 | 8; // further seals, shrinking, growing, writing
    const int ProtReadWrite = 3;
    const int MapPrivateFixedNoReserve = 0x2 | 0x10 | 0x4000;

    readonly SafeFileHandle _file;
    readonly nuint _start;
    int _isClosed;

    MemoryImage(SafeFileHandle file, nuint start, nuint length) => (_file, _start, Length) = (file, start, length);

    /// <summary>Bytes of the file.</summary>
    public nuint Length { get; }

    /// <summary>Whether no memory will ask for it again.</summary>
    public bool IsClosed => Volatile.Read(ref _isClosed) != 0;

    /// <summary>An image of a memory from <paramref name="start"/> on.</summary>
    /// <exception cref="IOException">The system refuses; the message says what.</exception>
    public static MemoryImage Make(nuint start, nuint length, Action<SafeFileHandle> write, PlatformFault fault)
    {
        var flags = fault == PlatformFault.RefusesMemoryFiles ? uint.MaxValue : CloseOnExec | AllowSealing;
        SafeFileHandle file;
        try
        {
            file = new SafeFileHandle(CreateFile("wasm memory", flags), ownsHandle: true);
        }
        catch (EntryPointNotFoundException)
        {
            throw new IOException("memfd_create: the C library has none");
        }
        if (file.IsInvalid) throw Refused("memfd_create");
        try
        {
            RandomAccess.SetLength(file, (long)length);
            write(file);
            if (Control((int)file.DangerousGetHandle(), AddSeals, SealAll) != 0) throw Refused("sealing a memfd");
        }
        catch
        {
            file.Dispose();
            throw;
        }
        return new MemoryImage(file, start, length);
    }

    /// <summary>Lays it over usable pages of a memory at that address.</summary>
    public bool TryMap(nint memory)
    {
        var holds = false;
        try
        {
            _file.DangerousAddRef(ref holds);
            var at = memory + (nint)_start;
            return Map(at, Length, ProtReadWrite, MapPrivateFixedNoReserve, (int)_file.DangerousGetHandle(), 0) == at;
        }
        finally
        {
            if (holds) _file.DangerousRelease();
        }
    }

    /// <summary>Copies what it holds of a part of a memory at that address; the rest of the part stays as it is.</summary>
    public unsafe bool TryCopy(nint memory, nuint from, nuint length)
    {
        var (first, end) = (Math.Max(from, _start), Math.Min(from + length, _start + Length));
        try
        {
            while (first < end)
            {
                var part = new Span<byte>((void*)(memory + (nint)first), (int)(end - first));
                var read = RandomAccess.Read(_file, part, (long)(first - _start));
                if (read <= 0) return false;
                first += (nuint)read;
            }
            return true;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Memories that map it keep what they have.</summary>
    public void Close()
    {
        Volatile.Write(ref _isClosed, 1);
        _file.Dispose();
        AddressRange.Forget(this);
    }

    static IOException Refused(string what) =>
        new($"{what}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true,
        StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint CreateFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, nint offset);
}
