namespace Millrace.Wasm;

/// <summary>What a module uses beyond the first edition of WebAssembly.</summary>
[Flags]
public enum WasmFeatures
{
    /// <summary>Nothing beyond the first edition.</summary>
    None = 0,
    /// <summary>Imported or exported mutable globals.</summary>
    MutableGlobals = 1 << 0,
    /// <summary><c>i32.extend8_s</c> and its kin.</summary>
    SignExtension = 1 << 1,
    /// <summary><c>i32.trunc_sat_f32_s</c> and its kin.</summary>
    SaturatingFloat = 1 << 2,
    /// <summary>Several results; blocks with parameters.</summary>
    MultiValue = 1 << 3,
    /// <summary><c>memory.copy</c>, passive segments and their kin.</summary>
    BulkMemory = 1 << 4,
    /// <summary><c>externref</c>, several tables, table instructions.</summary>
    ReferenceTypes = 1 << 5,
    /// <summary><c>v128</c>.</summary>
    Simd = 1 << 6,
    /// <summary>Vector instructions whose result may differ between machines.</summary>
    RelaxedSimd = 1 << 7,
    /// <summary><c>return_call</c> and its kin.</summary>
    TailCalls = 1 << 8,
    /// <summary>Arithmetic and non-imported globals in constant expressions.</summary>
    ExtendedConst = 1 << 9,
    /// <summary>References to defined types, non-null references, tables with an initial element.</summary>
    TypedReferences = 1 << 10,
    /// <summary>Structs, arrays, subtypes, casts.</summary>
    Gc = 1 << 11,
    /// <summary>Tags, <c>throw</c>, <c>try_table</c>.</summary>
    Exceptions = 1 << 12,
    /// <summary>Memories or tables with 64-bit addresses.</summary>
    Memory64 = 1 << 13,
    /// <summary>More than one memory.</summary>
    MultiMemory = 1 << 14,
    /// <summary>Shared memories and atomic instructions.</summary>
    Threads = 1 << 15,
    /// <summary>All of WebAssembly 2.0 but the vector instructions.</summary>
    Core2WithoutSimd = MutableGlobals | SignExtension | SaturatingFloat | MultiValue | BulkMemory | ReferenceTypes,
    /// <summary>All of WebAssembly 3.0.</summary>
    Core3 = Core2WithoutSimd | Simd | RelaxedSimd | TailCalls | ExtendedConst | TypedReferences | Gc | Exceptions
        | Memory64 | MultiMemory,
    /// <summary>All that the engine has, standard or not.</summary>
    All = Core3 | Threads,
}
