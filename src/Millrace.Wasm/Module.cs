using System.Collections.Immutable;

namespace Millrace.Wasm;

/// <summary>What kind of thing is imported or exported.</summary>
public enum ExternKind : byte
{
    /// <summary>A function.</summary>
    Function,
    /// <summary>A table.</summary>
    Table,
    /// <summary>A linear memory.</summary>
    Memory,
    /// <summary>A global.</summary>
    Global,
    /// <summary>An exception tag.</summary>
    Tag,
}

/// <summary>One import of a module.</summary>
/// <param name="Module">First name.</param>
/// <param name="Name">Second name.</param>
/// <param name="Kind">What is imported.</param>
/// <param name="FunctionType">For functions: the type.</param>
public sealed record ModuleImport(string Module, string Name, ExternKind Kind, FunctionType? FunctionType);

/// <summary>One export of a module.</summary>
/// <param name="Name">The name.</param>
/// <param name="Kind">What is exported.</param>
/// <param name="Index">Index in the space of its kind.</param>
public sealed record ModuleExport(string Name, ExternKind Kind, int Index);

/// <summary>Validated code; immutable, shared by any number of stores and threads.</summary>
public sealed class Module
{
    /// <summary>Imports, in the module's order.</summary>
    public ImmutableArray<ModuleImport> Imports { get; } = [];

    /// <summary>Exports, in the module's order.</summary>
    public ImmutableArray<ModuleExport> Exports { get; } = [];

    /// <summary>Decodes, validates and compiles a binary module.</summary>
    /// <exception cref="MalformedException">The bytes are not a module.</exception>
    /// <exception cref="InvalidException">The module breaks a typing rule.</exception>
    public static Module Compile(Engine engine, ReadOnlyMemory<byte> bytes) => throw new NotImplementedException();
}
