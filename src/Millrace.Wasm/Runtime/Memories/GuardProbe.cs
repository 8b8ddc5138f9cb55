using System.Runtime.CompilerServices;

namespace Millrace.Wasm.Runtime.Memories;

/// <summary>Sees whether faults come back as exceptions, and null references as before.</summary>
/// <remarks>
/// In this process: a copy of it would share the memory of the JIT compiler with it. Null references come first, and
/// pass the same way as the arena's faults, which .NET then cannot tell from them.
/// </remarks>
static unsafe class GuardProbe
{
    // What .NET makes of faults is nowhere promised: a version that nobody tried may end the process for one.
    const int VersionTried = 10;

    /// <summary>Null: all is well; otherwise what is not.</summary>
    public static string? Run(GuardArena arena) => Environment.Version.Major != VersionTried
        ? $"it was tried with .NET {VersionTried}, and this is {Environment.Version}"
        : Run(arena.Address, arena.Address + (nint)(arena.Bytes / 2), arena.Address + (nint)arena.Bytes - 1);

    /// <summary>As above, at places that must fault.</summary>
    public static string? Run(params ReadOnlySpan<nint> places)
    {
        if (!DereferencesNull() || !Faults(0)) return "a null reference is no exception any more";
        foreach (var place in places)
            if (!Faults(place)) return "a fault is no exception";
        return DereferencesNull() ? null : "a null reference is no exception any more";
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static bool Faults(nint place)
    {
        try
        {
            _ = Volatile.Read(ref *(byte*)place);
            return false;
        }
        catch (NullReferenceException)
        {
            return true;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static bool DereferencesNull(string? nothing = null)
    {
        try
        {
            return nothing!.Length < 0;
        }
        catch (NullReferenceException)
        {
            return true;
        }
    }
}
