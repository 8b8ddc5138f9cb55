namespace Millrace.Wasm.Scripts;

/// <summary>The host module <c>spectest</c> that scripts import from, as the specification's interpreter has it.
/// </summary>
static class SpectestModule
{
    const string Externs =
        """
        (module
          (global (export "global_i32") i32 (i32.const 666))
          (global (export "global_i64") i64 (i64.const 666))
          (global (export "global_f32") f32 (f32.const 666.6))
          (global (export "global_f64") f64 (f64.const 666.6))
          (table (export "table") 10 20 funcref)
          (memory (export "memory") 1 2))
        """;

    const string Externs64 = """(module (table (export "table64") i64 10 20 funcref))""";

    const string ExternsShared = """(module (memory (export "shared_memory") 1 2 shared))""";

    static readonly (string Name, ValueType[] Parameters)[] Prints =
    [
        ("print", []),
        ("print_i32", [ValueType.I32]),
        ("print_i64", [ValueType.I64]),
        ("print_f32", [ValueType.F32]),
        ("print_f64", [ValueType.F64]),
        ("print_i32_f32", [ValueType.I32, ValueType.F32]),
        ("print_f64_f64", [ValueType.F64, ValueType.F64]),
    ];

    public static void Define(Linker linker, Store store)
    {
        // What they would print is no part of any assertion.
        foreach (var (name, parameters) in Prints)
            linker.Define("spectest", name, FunctionType.Of(parameters, []), static (_, _, _) => { });
        Define(linker, store, Externs);
        var features = linker.Engine.Options.Features;
        if (features.HasFlag(WasmFeatures.Memory64)) Define(linker, store, Externs64);
        if (features.HasFlag(WasmFeatures.Threads)) Define(linker, store, ExternsShared);
    }

    static void Define(Linker linker, Store store, string text)
    {
        var module = Module.Compile(linker.Engine, WatText.ToBinary(text));
        linker.Define("spectest", linker.Instantiate(store, module));
    }
}
