using System.Collections.Immutable;
using System.Globalization;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Validation;

namespace Millrace.Wasm;

/// <summary>An import or export, with its type in words.</summary>
/// <param name="Module">Imports: the first name; exports: null.</param>
/// <param name="Name">The name.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Type">Its type: <c>[i32] -&gt; []</c>, <c>1 2</c> (a memory's pages), <c>10 funcref</c>,
/// <c>mut i64</c>.</param>
public sealed record ExternSummary(string? Module, string Name, ExternKind Kind, string Type);

/// <summary>A section of a module.</summary>
/// <param name="Name">Its name; a custom section's own.</param>
/// <param name="Bytes">Its content's size.</param>
public sealed record SectionSummary(string Name, int Bytes);

/// <summary>What a module asks for, offers and is made of, read without compiling it.</summary>
public sealed record ModuleSummary
{
    static readonly string[] SectionNames =
    [
        "custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code",
        "data", "data count", "tag",
    ];

    /// <summary>The module's own name, where its name section has one.</summary>
    public string? Name { get; private init; }

    /// <summary>Its size.</summary>
    public int Bytes { get; private init; }

    /// <summary>What it uses beyond the first edition of WebAssembly.</summary>
    public WasmFeatures Features { get; private init; }

    /// <summary>Functions that it defines.</summary>
    public int FunctionCount { get; private init; }

    /// <summary>Size of their instructions.</summary>
    public int CodeBytes { get; private init; }

    /// <summary>Size of what its data segments hold.</summary>
    public int DataBytes { get; private init; }

    /// <summary>Whether a function runs when it is instantiated.</summary>
    public bool HasStart { get; private init; }

    /// <summary>Imports, in the module's order.</summary>
    public ImmutableArray<ExternSummary> Imports { get; private init; }

    /// <summary>Exports, in the module's order.</summary>
    public ImmutableArray<ExternSummary> Exports { get; private init; }

    /// <summary>Sections, in the module's order.</summary>
    public ImmutableArray<SectionSummary> Sections { get; private init; }

    /// <summary>Reads and validates a binary module; features that this engine lacks are no hindrance.</summary>
    /// <exception cref="MalformedException">The bytes are not a module.</exception>
    /// <exception cref="InvalidException">The module breaks a typing rule.</exception>
    public static ModuleSummary Of(ReadOnlyMemory<byte> bytes)
    {
        var module = Decoder.Decode(bytes);
        Validator.Validate(module);
        return new()
        {
            Name = module.Names.Module,
            Bytes = bytes.Length,
            Features = module.Features,
            FunctionCount = module.Functions.Length - module.ImportedFunctionCount,
            CodeBytes = module.Functions.Sum(function => function.Body.Length),
            DataBytes = module.Data.Sum(segment => segment.Content.Length),
            HasStart = module.HasStart,
            Imports = [.. module.Imports.Select(import => new ExternSummary(
                import.Module, import.Name, import.Kind, TypeOf(module, import.Kind, import.Index)))],
            Exports = [.. module.Exports.Select(export => new ExternSummary(
                null, export.Name, export.Kind, TypeOf(module, export.Kind, export.Index)))],
            Sections = SectionsOf(bytes.Span),
        };
    }

    static string TypeOf(ModuleDefinition module, ExternKind kind, int index) => kind switch
    {
        ExternKind.Function => module.Functions[index].Type.ToString(),
        ExternKind.Table => $"{Text(module.Tables[index].Limits)} {module.Tables[index].ElementType}",
        ExternKind.Memory => Text(module.Memories[index].Limits),
        ExternKind.Global => $"{(module.Globals[index].IsMutable ? "mut " : "")}{module.Globals[index].Type}",
        _ => module.TagType(index).ToString(),
    };

    static string Text(SizeLimits limits) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(limits.Is64 ? "i64 " : "")}{limits.Min}{(limits.Max is null ? "" : " ")}{limits.Max}{Shared(limits)}");

    static string Shared(SizeLimits limits) => limits.IsShared ? " shared" : "";

    // Of a module that was decoded before: nothing is malformed.
    static ImmutableArray<SectionSummary> SectionsOf(ReadOnlySpan<byte> bytes)
    {
        const int HeaderBytes = 8;
        var sections = ImmutableArray.CreateBuilder<SectionSummary>();
        var reader = new ByteReader(bytes, HeaderBytes, bytes.Length);
        while (!reader.AtEnd)
        {
            var id = reader.Byte();
            var length = reader.Length();
            var end = reader.Position + length;
            sections.Add(new(id == 0 ? reader.Name() : SectionNames[id], length));
            reader.Position = end;
        }

        return sections.DrainToImmutable();
    }
}
