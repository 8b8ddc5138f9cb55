using Millrace.Wasm.Compilation;

namespace Millrace.Wasm.Scripts;

/// <summary>The features that a module uses and this engine does not have yet.</summary>
static class FeatureDebt
{
    static readonly (WasmFeatures Feature, string Name)[] Names =
    [
        (WasmFeatures.Threads, "threads"),
    ];

    /// <summary>The reason to exclude what a module of these features is asserted of; null where all of them are
    /// there.</summary>
    public static string? Of(WasmFeatures features)
    {
        foreach (var (feature, name) in Names)
        {
            if ((features & ~ModuleCompiler.Supported).HasFlag(feature)) return $"debt: {name}";
        }

        return null;
    }
}
