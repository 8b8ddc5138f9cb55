namespace Millrace.Wasm;

/// <summary>A module could not be compiled ahead of time. It can be run all the same: the JIT compiles it.</summary>
public sealed class AheadException(string message, Exception? inner = null) : WasmException(message, inner);
