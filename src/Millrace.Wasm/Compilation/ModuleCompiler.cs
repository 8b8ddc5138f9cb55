using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>A valid module to CIL: one static method per function.</summary>
static class ModuleCompiler
{
    public static CompiledModule Compile(Engine engine, ModuleDefinition definition)
    {
        Refuse(definition.Features & ~engine.Options.Features);
        var types = new LinkedTypes(engine, definition);
        engine.Signatures.Prepare(Crossing(definition).Select(function => types.SignatureOf(function.TypeIndex)));
        return new CompiledModule(definition, types, ImageOf(engine, definition, types), engine.Options);
    }

    /// <summary>The assembly image with the module's functions; null where it defines none.</summary>
    public static byte[]? ImageOf(Engine engine, ModuleDefinition definition, LinkedTypes types)
    {
        var image = new ImageBuilder();
        var scope = new ModuleScope(definition, image, types, engine.Options);
        TouchTypesOfConstants(scope);
        if (definition.Functions.Length == definition.ImportedFunctionCount && scope.Classes.IsEmpty) return null;
        var compiler = new FunctionCompiler(scope);
        foreach (var function in definition.Functions)
            if (function.Import is null) compiler.Compile(function);
        scope.Classes.Finish();
        return image.Finish();
    }

    /// <summary>What the code of some functions of a compiled module stands for.</summary>
    public static IEnumerable<(int Function, CodeMap Map)> MapsOf(
        EngineOptions options, ModuleDefinition definition, LinkedTypes types, IEnumerable<int> functions)
    {
        var compiler = new FunctionCompiler(new ModuleScope(definition, new ImageBuilder(), types, options));
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
    static IEnumerable<FunctionDefinition> Crossing(ModuleDefinition definition) =>
        definition.Functions.Take(definition.ImportedFunctionCount).Concat(
            definition.Exports.Where(export => export.Kind == ExternKind.Function)
                .Select(export => definition.Functions[export.Index]));

    static void Refuse(WasmFeatures missing)
    {
        if (missing != WasmFeatures.None)
            throw new UnsupportedFeatureException($"the module uses {FeatureNames.Of(missing)}, which is switched off");
    }
}
