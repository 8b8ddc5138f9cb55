using Millrace.Wasm.Binary;
using Millrace.Wasm.Compilation;
using Millrace.Wasm.Runtime;
using Millrace.Wasm.Runtime.Memories;
using Millrace.Wasm.Validation;
using Millrace.Wasm.Verification;

namespace Millrace.Wasm;

/// <summary>How accesses of linear memory are kept inside it.</summary>
public enum MemoryChecks
{
    /// <summary>Code compares each address: exact, on every platform.</summary>
    Explicit,

    /// <summary>
    /// Behind the end of a memory lie pages that cannot be touched, and the fault becomes the trap: faster. Linux on x64
    /// only; memories with 64-bit addresses are compared all the same. Nothing outside the memory can be read or
    /// written either way, but an access that begins inside and ends outside may go without its trap: docs/security.md
    /// says which.
    /// </summary>
    Guarded,
}

/// <summary>Settings of an engine.</summary>
public sealed record EngineOptions
{
    /// <summary>Whether to do without tricks of the platform: memories then live in the C heap.</summary>
    public bool IsPortable { get; init; } = !OperatingSystem.IsLinux();

    /// <summary>
    /// How accesses of memory are checked. <see cref="MemoryChecks.Guarded"/> relies on what .NET does but does not
    /// promise: the first engine that asks for it looks whether it does.
    /// </summary>
    public MemoryChecks MemoryChecks { get; init; }

    /// <summary>
    /// What modules may use; others are refused. <see cref="WasmFeatures.Threads"/> is off unless asked for: what
    /// threads do to one another is not the same in every run.
    /// </summary>
    public WasmFeatures Features { get; init; } = WasmFeatures.Core3;

    /// <summary>
    /// Whether guest code counts its instructions and stops when <see cref="Store.Fuel"/> is used up. Each instruction
    /// takes one, whatever it does; <c>else</c> and <c>end</c> none. A run of instructions up to the next branch or
    /// label is paid for where it begins, so the count is the same on every machine.
    /// </summary>
    public bool IsMetered { get; init; }

    /// <summary>
    /// Bytes that the initial memories of modules may take together: of a module that is instantiated again they are
    /// kept once, and its instances copy only the pages they write. Beyond that, each instance copies all. Default
    /// 1 GiB.
    /// </summary>
    public long MemoryImageBytesMax { get; init; } = 1L << 30;

    /// <summary>Where machine code of modules lies that was compiled ahead of time; null: the JIT compiles all.</summary>
    public CodeCache? Cache { get; init; }

    /// <summary>
    /// Whether a module that the cache lacks is compiled ahead of time, however long that takes, before it is used;
    /// else the JIT compiles it.
    /// </summary>
    public bool IsAheadOfTime { get; init; }

    /// <summary>Whether code is proven safe before it is loaded: everywhere but in tests of tests.</summary>
    internal bool IsVerified { get; init; } = true;

    /// <summary>A rule that code is not held to; for tests of the verifier.</summary>
    internal ProofRule Unproven { get; init; }

    /// <summary>What breaks an image between compiler and verifier; for tests of the verifier.</summary>
    internal Func<byte[], byte[]>? Rewrite { get; init; }

    /// <summary>A mistake for the compiler to make; for tests of tests.</summary>
    internal CompilerFault Fault { get; init; }

    /// <summary>A check to leave out; for tests of tests.</summary>
    internal SafetyCheck Without { get; init; }

    /// <summary>What the system is to refuse; for tests.</summary>
    internal PlatformFault PlatformFault { get; init; }
}

/// <summary>What an engine keeps of its modules' initial memories.</summary>
/// <param name="Count">Memories.</param>
/// <param name="Bytes">Bytes of them.</param>
/// <param name="Refusal">Why the last one that could not be kept was not; null: all were.</param>
public sealed record MemoryImageCounts(int Count, long Bytes, string? Refusal);

/// <summary>Settings and shared parts of all modules and stores made with it. Thread-safe.</summary>
public sealed class Engine : IDisposable
{
    bool _isDisposed;

    /// <summary>An engine.</summary>
    /// <exception cref="PlatformNotSupportedException">Memories cannot be guarded by pages here; the message says why.
    /// </exception>
    public Engine(EngineOptions? options = null)
    {
        Options = options ?? new();
        if (Options is { MemoryChecks: MemoryChecks.Guarded, IsPortable: true })
            throw new PlatformNotSupportedException("portable mode has no pages to guard memories with");
        if (Options.MemoryChecks == MemoryChecks.Guarded) Arena = GuardPages.Arena;
        Signatures = new SignatureTable(Types);
        Images = new ImageAccount(Options);
    }

    /// <summary>The settings given.</summary>
    public EngineOptions Options { get; }

    /// <summary>What is kept of initial memories now.</summary>
    public MemoryImageCounts MemoryImages => Images.Counts;

    internal ImageAccount Images { get; }

    /// <summary>Where 32-bit memories lie; null unless pages guard them.</summary>
    internal GuardArena? Arena { get; }

    /// <summary>Numbers of types that hold across modules.</summary>
    internal TypeCanonicalizer Types { get; } = new();

    internal SignatureTable Signatures { get; }

    /// <summary>Refuses further modules. Code is unloaded when its last module, instance or function is gone.</summary>
    public void Dispose() => _isDisposed = true;

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed, this);
}
