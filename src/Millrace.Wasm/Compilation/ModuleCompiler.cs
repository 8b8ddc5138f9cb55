using System.Collections.Immutable;
using Millrace.Wasm.Ahead;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime.Memories;
using Millrace.Wasm.Validation;
using Millrace.Wasm.Verification;

namespace Millrace.Wasm.Compilation;

/// <summary>A valid module to CIL: one static method per function.</summary>
static class ModuleCompiler
{
    public static CompiledModule Compile(Engine engine, ModuleDefinition definition)
    {
        Refuse(definition.Features & ~engine.Options.Features);
        var types = new LinkedTypes(engine, definition);
        engine.Signatures.Prepare(Crossing(definition).Select(function => types.SignatureOf(function.TypeIndex)));
        var image = ImageOf(engine, definition, types);
        if (image is not null && engine.Options.Rewrite is { } rewrite) image = rewrite(image);
        if (image is not null && engine.Options.IsVerified) Verify(engine, definition, image, types.Slots);
        return new CompiledModule(definition, types, image, engine.Options);
    }

    /// <summary>Proves an image of a module before it is loaded, or machine code made of it.</summary>
    /// <exception cref="RefusedCodeException">Something in it could not be proven.</exception>
    public static void Verify(
        Engine engine, ModuleDefinition definition, byte[] image, ImmutableArray<int> slots, ImageLinks? links = null)
    {
        var numbers = links?.Numbers ?? [];
        var contract = new Contract(definition, new ModuleTypes(definition, engine.Types), slots)
        {
            Without = engine.Options.Unproven,
            MovesMemories = engine.Options.IsPortable,
            GuardedBytes = engine.Arena is null ? 0 : AddressRange.ReachBytes,
            TypeNumbers = [.. numbers.Select(number => (number.TypeIndex, number.Kind != LinkedKind.Id))],
        };
        ImageVerifier.Verify(image, contract, (links?.Crossings ?? []).AsSpan());
    }

    /// <summary>The assembly image with the module's functions; null where it defines none.</summary>
    public static byte[]? ImageOf(Engine engine, ModuleDefinition definition, LinkedTypes types)
    {
        var scope = new ModuleScope(definition, new ImageBuilder(Guid.NewGuid()), types, engine.Options);
        if (!TryCompile(scope)) return null;
        scope.Classes.Finish();
        return scope.Image.Finish();
    }

    /// <summary>An image that any engine with these options can link, and that holds its crossings too.</summary>
    public static (byte[] Image, ImageLinks Links)? CompileAhead(Engine engine, ModuleDefinition definition, Guid name)
    {
        Refuse(definition.Features & ~engine.Options.Features);
        var types = new LinkedTypes(engine, definition);
        var cells = new LinkedCells(definition.Globals.Length, []);
        var scope = new ModuleScope(definition, new ImageBuilder(name), types, engine.Options) { Cells = cells };
        if (!TryCompile(scope)) return null;
        var crossings = AheadCompiler.CrossingsOf(definition, types);
        CrossingCompiler.Compile(scope.Image, crossings.Select(types.SignatureOf));
        scope.Classes.Finish();
        var links = new ImageLinks
        {
            Features = definition.Features,
            Slots = types.Slots,
            Numbers = cells.Numbers,
            Crossings = crossings,
        };
        var image = scope.Image.Finish();
        if (engine.Options.IsVerified) Verify(engine, definition, image, links.Slots, links);
        return (image, links);
    }

    /// <summary>A module whose code was compiled before.</summary>
    public static CompiledModule Link(Engine engine, ModuleDefinition definition, LoadedImage loaded)
    {
        Refuse(definition.Features & ~engine.Options.Features);
        return new CompiledModule(
            definition, new LinkedTypes(engine, definition, loaded.Links.Slots), loaded, engine.Options);
    }

    static bool TryCompile(ModuleScope scope)
    {
        var definition = scope.Definition;
        TouchTypesOfConstants(scope);
        if (definition.Functions.Length == definition.ImportedFunctionCount && scope.Classes.IsEmpty) return false;
        var compiler = new FunctionCompiler(scope);
        foreach (var function in definition.Functions)
            if (function.Import is null) compiler.Compile(function);
        return true;
    }

    /// <summary>What the code of some functions of a compiled module stands for.</summary>
    public static IEnumerable<(int Function, CodeMap Map)> MapsOf(
        EngineOptions options, ModuleDefinition definition, LinkedTypes types, LinkedCells? cells,
        IEnumerable<int> functions)
    {
        var compiler = new FunctionCompiler(
            new ModuleScope(definition, new ImageBuilder(Guid.Empty), types, options) { Cells = cells });
        foreach (var function in functions)
        {
            var map = new CodeMap(definition.CodeSection.Start);
            compiler.Compile(definition.Functions[function], map);
            yield return (function, map);
        }
    }

    // Objects that instantiation makes need their types and classes as much as those that code makes.
    static void TouchTypesOfConstants(ModuleScope scope)
    {
        var definition = scope.Definition;
        if (!definition.Features.HasFlag(WasmFeatures.Gc)) return;
        foreach (var global in definition.Globals) Touch(scope, global.Initializer);
        foreach (var table in definition.Tables) Touch(scope, table.Initializer);
        foreach (var segment in definition.Elements)
            foreach (var element in segment.Expressions.IsDefault ? [] : segment.Expressions) Touch(scope, element);
    }

    static void Touch(ModuleScope scope, CodeRange constant)
    {
        var reader = new InstructionReader(scope.Definition.Bytes.Span, constant);
        while (reader.Read())
        {
            switch (reader.Opcode)
            {
                case Opcode.StructNew or Opcode.StructNewDefault:
                    scope.Types.SlotOf(reader.Index);
                    scope.Classes.Constructor(reader.Index);
                    break;
                case Opcode.ArrayNew or Opcode.ArrayNewDefault or Opcode.ArrayNewFixed:
                    scope.Types.SlotOf(reader.Index);
                    break;
            }
        }
    }

    // Their crossings are wanted for sure; those of functions in tables are compiled if the host asks for them.
    public static IEnumerable<FunctionDefinition> Crossing(ModuleDefinition definition) =>
        definition.Functions.Take(definition.ImportedFunctionCount).Concat(
            definition.Exports.Where(export => export.Kind == ExternKind.Function)
                .Select(export => definition.Functions[export.Index]));

    static void Refuse(WasmFeatures missing)
    {
        if (missing != WasmFeatures.None)
            throw new UnsupportedFeatureException($"the module uses {FeatureNames.Of(missing)}, which is switched off");
    }
}
