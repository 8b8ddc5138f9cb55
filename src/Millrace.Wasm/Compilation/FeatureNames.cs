namespace Millrace.Wasm.Compilation;

/// <summary>Features as people call them.</summary>
static class FeatureNames
{
    static readonly (WasmFeatures Feature, string Name)[] Names =
    [
        (WasmFeatures.MutableGlobals, "mutable globals at its border"),
        (WasmFeatures.SignExtension, "sign extension"),
        (WasmFeatures.SaturatingFloat, "saturating conversions"),
        (WasmFeatures.MultiValue, "several results"),
        (WasmFeatures.BulkMemory, "bulk memory"),
        (WasmFeatures.ReferenceTypes, "reference types"),
        (WasmFeatures.Simd, "SIMD"),
        (WasmFeatures.RelaxedSimd, "relaxed SIMD"),
        (WasmFeatures.TailCalls, "tail calls"),
        (WasmFeatures.ExtendedConst, "extended constant expressions"),
        (WasmFeatures.TypedReferences, "typed references"),
        (WasmFeatures.Gc, "garbage collection"),
        (WasmFeatures.Exceptions, "exceptions"),
        (WasmFeatures.Memory64, "64-bit memories"),
        (WasmFeatures.MultiMemory, "several memories"),
        (WasmFeatures.Threads, "threads"),
    ];

    public static string Of(WasmFeatures features) =>
        string.Join(", ", Names.Where(row => features.HasFlag(row.Feature)).Select(static row => row.Name));
}
