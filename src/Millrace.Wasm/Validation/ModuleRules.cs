using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>What a module declares outside its code (core 3.5).</summary>
static class ModuleRules
{
    /// <summary>Types of functions, tables, memories, globals and tags.</summary>
    public static void CheckEntities(ModuleContext context)
    {
        var module = context.Module;
        foreach (var function in module.Functions) context.FunctionTypeOf(function.TypeIndex);
        foreach (var table in module.Tables)
        {
            context.CheckType(table.ElementType);
            var max = table.Limits.Is64 ? ulong.MaxValue : uint.MaxValue;
            CheckSize(table.Limits, max, "table size must be at most 2^32-1");
        }
        foreach (var memory in module.Memories)
        {
            if (memory.Limits is { IsShared: true, Max: null })
                throw new InvalidException("shared memory must have maximum", "");
            if (memory.Limits.Is64) CheckSize(memory.Limits, 1UL << 48, "memory size must be at most 2^48 pages");
            else CheckSize(memory.Limits, 1UL << 16, "memory size must be at most 65536 pages (4GiB)");
        }
        foreach (var global in module.Globals) context.CheckType(global.Type);
        foreach (var tag in module.Tags)
        {
            if (!context.FunctionTypeOf(tag.TypeIndex).Results.IsEmpty)
                throw new InvalidException("non-empty tag result type", $"type {tag.TypeIndex}");
        }
    }

    static void CheckSize(SizeLimits limits, ulong bound, string reason)
    {
        if (limits.Min > bound || limits.Max > bound) throw new InvalidException(reason, "");
        if (limits.Max < limits.Min)
            throw new InvalidException("size minimum must not be greater than maximum", "");
    }

    /// <summary>Functions named outside code: only those may code take references to (core 3.5.15, C.refs).</summary>
    public static void Declare(ModuleContext context)
    {
        var module = context.Module;
        foreach (var export in module.Exports)
        {
            if (export.Kind == ExternKind.Function) context.Declare(export.Index);
        }
        foreach (var global in module.Globals) DeclareIn(context, global.Initializer);
        foreach (var table in module.Tables) DeclareIn(context, table.Initializer);
        foreach (var segment in module.Elements)
        {
            DeclareIn(context, segment.Offset);
            if (segment.Functions.IsDefault) foreach (var code in segment.Expressions) DeclareIn(context, code);
            else foreach (var function in segment.Functions) context.Declare(function);
        }
        foreach (var segment in module.Data) DeclareIn(context, segment.Offset);
    }

    static void DeclareIn(ModuleContext context, CodeRange code)
    {
        var reader = new InstructionReader(context.Module.Bytes.Span, code);
        while (reader.Read())
        {
            if (reader.Opcode == Opcode.RefFunc) context.Declare(reader.Index);
        }
    }

    /// <summary>Initial values of globals, each of which sees those before it, and of tables, which see imports.
    /// </summary>
    public static void CheckInitializers(ModuleContext context, CodeValidator code)
    {
        var module = context.Module;
        for (var i = module.ImportedGlobalCount; i < module.Globals.Length; i++)
            code.CheckConstant(module.Globals[i].Initializer, module.Globals[i].Type, i, $"global {i}");
        for (var i = module.ImportedTableCount; i < module.Tables.Length; i++)
        {
            var table = module.Tables[i];
            if (!table.Initializer.IsEmpty)
                code.CheckConstant(table.Initializer, table.ElementType, module.ImportedGlobalCount, $"table {i}");
            else if (!table.ElementType.IsDefaultable())
                throw new InvalidException($"type mismatch: {table.ElementType} has no default value", $"table {i}");
        }
    }

    /// <summary>Element and data segments.</summary>
    public static void CheckSegments(ModuleContext context, CodeValidator code)
    {
        var module = context.Module;
        for (var i = 0; i < module.Elements.Length; i++)
            CheckElement(context, code, module.Elements[i], $"elem segment {i}");
        for (var i = 0; i < module.Data.Length; i++)
        {
            var segment = module.Data[i];
            if (segment.Mode != SegmentMode.Active) continue;
            var address = context.Memory(segment.MemoryIndex).Limits.AddressType;
            code.CheckConstant(segment.Offset, address, module.Globals.Length, $"data segment {i}");
        }
    }

    static void CheckElement(ModuleContext context, CodeValidator code, ElementSegment segment, string where)
    {
        var globals = context.Module.Globals.Length;
        context.CheckType(segment.Type);
        foreach (var function in segment.Functions.IsDefault ? [] : segment.Functions) context.Function(function);
        foreach (var expression in segment.Expressions.IsDefault ? [] : segment.Expressions)
            code.CheckConstant(expression, segment.Type, globals, where);

        if (segment.Mode != SegmentMode.Active) return;
        var table = context.Table(segment.TableIndex);
        if (!context.Types.Matches(segment.Type, table.ElementType))
        {
            throw new InvalidException(
                $"type mismatch: table holds {table.ElementType}, elem segment {segment.Type}", where);
        }
        code.CheckConstant(segment.Offset, table.Limits.AddressType, globals, where);
    }

    public static void CheckStartAndExports(ModuleContext context)
    {
        var module = context.Module;
        if (module.HasStart)
        {
            var type = context.Function(module.StartFunction).Type;
            if (!type.Parameters.IsEmpty || !type.Results.IsEmpty)
                throw new InvalidException($"start function must have type [] -> [], not {type}", "");
        }
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var export in module.Exports)
        {
            CheckExport(context, export);
            if (!names.Add(export.Name)) throw new InvalidException("duplicate export name", $"\"{export.Name}\"");
        }
    }

    static void CheckExport(ModuleContext context, ModuleExport export)
    {
        switch (export.Kind)
        {
            case ExternKind.Function: context.Function(export.Index); break;
            case ExternKind.Table: context.Table(export.Index); break;
            case ExternKind.Memory: context.Memory(export.Index); break;
            case ExternKind.Global: context.Global(export.Index); break;
            default: context.Tag(export.Index); break;
        }
    }
}
