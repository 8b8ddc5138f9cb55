using System.Collections.Immutable;
using Millrace.Wasm.Ahead;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Compilation;
using Millrace.Wasm.Runtime.Memories;
using Millrace.Wasm.Validation;

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
/// <param name="FunctionType">For functions and tags: the type.</param>
public sealed record ModuleImport(string Module, string Name, ExternKind Kind, FunctionType? FunctionType);

/// <summary>One export of a module.</summary>
/// <param name="Name">The name.</param>
/// <param name="Kind">What is exported.</param>
/// <param name="Index">Index in the space of its kind.</param>
public sealed record ModuleExport(string Name, ExternKind Kind, int Index);

/// <summary>Validated code; immutable, shared by any number of stores and threads.</summary>
public sealed class Module
{
    readonly Dictionary<string, ModuleExport> _exports = [];

    Module(Engine engine, ModuleDefinition definition, CompiledModule code)
    {
        (Engine, Definition, Code) = (engine, definition, code);
        foreach (var export in Exports) _exports.Add(export.Name, export);
        Images = new MemoryImages(engine, definition);
        var imports = new ModuleImport[definition.Imports.Length];
        for (var i = 0; i < imports.Length; i++)
        {
            var import = definition.Imports[i];
            imports[i] = new(import.Module, import.Name, import.Kind, TypeOf(import));
        }
        Imports = Arrays<ModuleImport>.Immutable(imports);
    }

    /// <summary>The engine it was compiled for.</summary>
    public Engine Engine { get; }

    /// <summary>Imports, in the module's order.</summary>
    public ImmutableArray<ModuleImport> Imports { get; }

    /// <summary>Exports, in the module's order.</summary>
    public ImmutableArray<ModuleExport> Exports => Definition.Exports;

    /// <summary>Whether its machine code was compiled ahead of time: the JIT compiles nothing of it, but for what
    /// crossgen2 left over (<see cref="AheadReport.Remaining"/>).</summary>
    public bool IsAheadOfTime => Code.IsAhead;

    internal ModuleDefinition Definition { get; }

    internal CompiledModule Code { get; }

    internal MemoryImages Images { get; }

    /// <summary>
    /// Decodes, validates and compiles a binary module. Machine code is made per function when it is first called;
    /// it is unloaded when neither the module nor an instance of it is referred to any more. Machine code that the
    /// engine's cache has is used instead (<see cref="EngineOptions.Cache"/>); it stays until the process ends.
    /// </summary>
    /// <exception cref="AheadException">It had to be compiled ahead of time (<see cref="EngineOptions.IsAheadOfTime"/>),
    /// and could not be.</exception>
    /// <exception cref="MalformedException">The bytes are not a module.</exception>
    /// <exception cref="InvalidException">The module breaks a typing rule.</exception>
    /// <exception cref="UnsupportedFeatureException">The module uses a feature that is not there yet.</exception>
    public static Module Compile(Engine engine, ReadOnlyMemory<byte> bytes)
    {
        engine.ThrowIfDisposed();
        if (engine.Options.Cache is { } cache)
        {
            if (engine.Options.IsAheadOfTime) cache.Compile(engine.Options, bytes);
            if (cache.Find(engine.Options, bytes) is { } loaded) return Link(engine, bytes, loaded);
        }
        var definition = Decoder.Decode(bytes, engine.Options.Without);
        Validator.Validate(definition, engine.Options.Without);
        return new Module(engine, definition, ModuleCompiler.Compile(engine, definition));
    }

    // It was validated when it was compiled.
    static Module Link(Engine engine, ReadOnlyMemory<byte> bytes, LoadedImage loaded)
    {
        var definition = Decoder.DecodeKnown(bytes, loaded.Links.Features);
        return new Module(engine, definition, ModuleCompiler.Link(engine, definition, loaded));
    }

    FunctionType? TypeOf(ImportDefinition import) => import.Kind switch
    {
        ExternKind.Function => Code.SignatureOf(import.Index).Type,
        ExternKind.Tag => Code.TagSignature(import.Index).Type,
        _ => null,
    };

    internal ModuleExport? FindExport(string name) => _exports.GetValueOrDefault(name);
}
