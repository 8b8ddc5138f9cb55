namespace Millrace.Wasm.Binary;

/// <summary>Bytes to <see cref="ModuleDefinition"/>: the binary format of the core specification, chapter 5.</summary>
static class Decoder
{
    /// <summary>
    /// Decodes all sections and walks all code, so that whatever is malformed is found here; typing rules are the
    /// validator's. The bytes are kept, not copied.
    /// </summary>
    /// <exception cref="MalformedException">The bytes are not a module, or ask for more than <see cref="Limits"/>
    /// gives.</exception>
    public static ModuleDefinition Decode(ReadOnlyMemory<byte> bytes, SafetyCheck without = SafetyCheck.None) =>
        new ModuleReader(bytes, without: without).Read();

    /// <summary>Decodes a module whose code was read before; the bodies of functions are passed by.</summary>
    /// <param name="bytes">The module.</param>
    /// <param name="features">What reading its code found.</param>
    public static ModuleDefinition DecodeKnown(ReadOnlyMemory<byte> bytes, WasmFeatures features) =>
        new ModuleReader(bytes, features).Read();
}
