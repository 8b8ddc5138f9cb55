using System.Runtime.InteropServices;

namespace Millrace.Wasm.Runtime.Memories;

/// <summary>
/// Makes accesses behind the end of a guarded memory traps. The system tells a fault by a signal, and .NET turns one
/// at an address near zero into a <see cref="NullReferenceException"/>, any other into the end of the process. A few
/// instructions in front of .NET's handler give faults inside the arena the address zero, and change nothing else.
/// </summary>
/// <remarks>
/// .NET does not promise that this works, so nobody may use it before it was seen to: <see cref="GuardProbe"/>.
/// </remarks>
static unsafe partial class GuardPages
{
    const int SignalSegmentation = 11;
    const int ProtReadWrite = 3;
    const int ProtReadExecute = 5;
    const int MapPrivateAnonymous = 0x2 | 0x20;
    const int ActionBytes = 152; // struct sigaction of x64's C libraries: handler, 128 bytes of mask, flags, restorer
    const int CodeBytes = 4096;

    static readonly Lazy<(GuardArena? Arena, string? Refusal)> Prepared = new(Prepare);

    /// <summary>Where guarded memories lie.</summary>
    /// <exception cref="PlatformNotSupportedException">They do not work here; the message says why.</exception>
    public static GuardArena Arena => Prepared.Value.Arena ?? throw new PlatformNotSupportedException(
        $"memories cannot be guarded by pages here: {Prepared.Value.Refusal}");

    static (GuardArena?, string?) Prepare()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return (null, "only Linux on x64 can");
        var arena = GuardArena.TryReserve(AddressRange.ReachBytes);
        if (arena is null) return (null, "there is no room for them among the process's addresses (ulimit -v)");
        if (Install(arena) is { } refusal) return (null, refusal);
        return GuardProbe.Run(arena) is { } failure ? (null, failure) : (arena, null);
    }

    // It stays, for another may stand in front of it by now; faults elsewhere it passes on.
    static string? Install(GuardArena arena)
    {
        var action = stackalloc byte[ActionBytes];
        if (SetAction(SignalSegmentation, null, action) != 0) return "the handler of faults cannot be read";
        var former = *(nint*)action;
        if (former is 0 or 1) return ".NET handles no faults";
        var code = Map(0, CodeBytes, ProtReadWrite, MapPrivateAnonymous, -1, 0);
        if (code == -1) return "there is no memory for the handler of faults";
        Write((byte*)code, arena, former);
        if (Protect(code, CodeBytes, ProtReadExecute) != 0) return "the system lets no code be made";
        *(nint*)action = code;
        return SetAction(SignalSegmentation, action, null) != 0 ? "the handler of faults cannot be replaced" : null;
    }

    // rdi, rsi, rdx: the signal, what is known of it (the address at 16), and the processor's state at the fault (the
    // address again, in what Linux calls CR2, at 216). Such a fault then looks like that of a null reference.
    static void Write(byte* code, GuardArena arena, nint former)
    {
        ReadOnlySpan<byte> template =
        [
            0xF3, 0x0F, 0x1E, 0xFA,                             //  0 endbr64
            0x48, 0x8B, 0x46, 0x10,                             //  4 mov rax, [rsi + 16]
            0x48, 0xB9, 0, 0, 0, 0, 0, 0, 0, 0,                 //  8 mov rcx, first address of the arena
            0x48, 0x29, 0xC8,                                   // 18 sub rax, rcx
            0x48, 0xB9, 0, 0, 0, 0, 0, 0, 0, 0,                 // 21 mov rcx, its bytes
            0x48, 0x39, 0xC8,                                   // 31 cmp rax, rcx
            0x73, 0x0F,                                         // 34 jae over the next three
            0x31, 0xC0,                                         // 36 xor eax, eax
            0x48, 0x89, 0x46, 0x10,                             // 38 mov [rsi + 16], rax
            0x48, 0x89, 0x82, 0xD8, 0x00, 0x00, 0x00,           // 42 mov [rdx + 216], rax
            0x90, 0x90,                                         // 49 nop; nop
            0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0,                 // 51 mov rax, the former handler
            0xFF, 0xE0,                                         // 61 jmp rax
        ];
        template.CopyTo(new Span<byte>(code, template.Length));
        *(nint*)(code + 10) = arena.Address;
        *(nuint*)(code + 23) = arena.Bytes;
        *(nint*)(code + 53) = former;
    }

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int SetAction(int signal, byte* action, byte* former);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);
}
