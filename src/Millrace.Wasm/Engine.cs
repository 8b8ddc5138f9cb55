using Millrace.Wasm.Runtime;

namespace Millrace.Wasm;

/// <summary>Settings of an engine.</summary>
public sealed record EngineOptions
{
    /// <summary>Whether to do without tricks of the platform: memories then live in the C heap.</summary>
    public bool IsPortable { get; init; } = !OperatingSystem.IsLinux();
}

/// <summary>Settings and shared parts of all modules and stores made with it. Thread-safe.</summary>
public sealed class Engine : IDisposable
{
    /// <summary>An engine.</summary>
    public Engine(EngineOptions? options = null)
    {
        Options = options ?? new();
        Signatures = new SignatureTable();
    }

    /// <summary>The settings given.</summary>
    public EngineOptions Options { get; }

    internal SignatureTable Signatures { get; }

    /// <summary>Lets go of code shared by its modules; it is unloaded when the last function is gone.</summary>
    public void Dispose() => Signatures.Unload();
}
