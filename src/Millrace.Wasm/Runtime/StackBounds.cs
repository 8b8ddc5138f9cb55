using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Millrace.Wasm.Runtime;

/// <summary>Where this thread's stack ends.</summary>
static unsafe partial class StackBounds
{
    /// <summary>
    /// Stack kept free below a guest's limit: for the largest guest frame (see
    /// <see cref="Compilation.LocalPool.LocalsMax"/>), host functions, the JIT compiler and the throwing of a trap.
    /// </summary>
    public const int Reserve = 1 << 20;

    [ThreadStatic]
    static nuint _lowest;

    /// <summary>The address that this frame's stack has reached.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static nuint Here()
    {
        var mark = 0;
        return (nuint)(&mark);
    }

    /// <summary>The lowest address a guest with that many bytes may reach; false: this thread has no room.</summary>
    public static bool TryLimit(int stackBytes, out nuint limit)
    {
        var here = Here();
        limit = here - (nuint)stackBytes;
        var lowest = Lowest();
        return lowest != 0 && here > lowest && here - lowest >= (nuint)stackBytes + Reserve;
    }

    /// <summary>Tells this thread's stack size where the system cannot be asked.</summary>
    public static void Assume(int stackBytes) => _lowest = Here() - (nuint)stackBytes;

    static nuint Lowest()
    {
        if (_lowest == 0 && OperatingSystem.IsLinux()) _lowest = AskSystem();
        return _lowest;
    }

    static nuint AskSystem()
    {
        var attributes = stackalloc byte[256]; // pthread_attr_t takes 56 bytes of glibc on x64, 64 on arm64
        if (GetAttributes(Self(), attributes) != 0) return 0;
        var answered = GetStack(attributes, out var lowest, out var size) == 0;
        _ = DestroyAttributes(attributes);
        // A main thread without limit claims more than it can have.
        return answered && size <= 1u << 30 ? lowest : 0;
    }

    [LibraryImport("libc", EntryPoint = "pthread_self")]
    private static partial nint Self();

    [LibraryImport("libc", EntryPoint = "pthread_getattr_np")]
    private static partial int GetAttributes(nint thread, byte* attributes);

    [LibraryImport("libc", EntryPoint = "pthread_attr_getstack")]
    private static partial int GetStack(byte* attributes, out nuint lowest, out nuint size);

    [LibraryImport("libc", EntryPoint = "pthread_attr_destroy")]
    private static partial int DestroyAttributes(byte* attributes);
}
