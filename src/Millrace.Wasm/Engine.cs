namespace Millrace.Wasm;

/// <summary>Settings and shared parts of all modules and stores made with it. Thread-safe.</summary>
public sealed class Engine : IDisposable
{
    /// <summary>An engine with default settings.</summary>
    public Engine() { }

    /// <inheritdoc/>
    public void Dispose() { }
}
