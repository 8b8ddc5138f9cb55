using Millrace.Wasm.Compilation;
using Millrace.Wasm.Runtime;
using Millrace.Wasm.Validation;

namespace Millrace.Wasm;

/// <summary>Settings of an engine.</summary>
public sealed record EngineOptions
{
    /// <summary>Whether to do without tricks of the platform: memories then live in the C heap.</summary>
    public bool IsPortable { get; init; } = !OperatingSystem.IsLinux();

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

    /// <summary>A mistake for the compiler to make; for tests of tests.</summary>
    internal CompilerFault Fault { get; init; }
}

/// <summary>Settings and shared parts of all modules and stores made with it. Thread-safe.</summary>
public sealed class Engine : IDisposable
{
    bool _isDisposed;

    /// <summary>An engine.</summary>
    public Engine(EngineOptions? options = null)
    {
        Options = options ?? new();
        Signatures = new SignatureTable(Types);
    }

    /// <summary>The settings given.</summary>
    public EngineOptions Options { get; }

    /// <summary>Numbers of types that hold across modules.</summary>
    internal TypeCanonicalizer Types { get; } = new();

    internal SignatureTable Signatures { get; }

    /// <summary>Refuses further modules. Code is unloaded when its last module, instance or function is gone.</summary>
    public void Dispose() => _isDisposed = true;

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_isDisposed, this);
}
