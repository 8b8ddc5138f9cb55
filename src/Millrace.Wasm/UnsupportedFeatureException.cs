namespace Millrace.Wasm;

/// <summary>
/// A valid module asks for what this engine does not do: a feature of WebAssembly that it lacks, or code larger than
/// it compiles. Thrown by <see cref="Module.Compile"/>, which never compiles such a module to something else; a
/// function too large for the .NET JIT compiler shows only when it is first called.
/// </summary>
public sealed class UnsupportedFeatureException(string message, Exception? inner = null)
    : WasmException(message, inner);
