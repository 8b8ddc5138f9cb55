using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// Makes an instance (core 4.5.4). What was initialised before a trap stays so: others may already see it through
/// imported memories and tables.
/// </summary>
static unsafe class Instantiation
{
    public static Instance Run(Store store, Module module, object[] imports)
    {
        var instance = new Instance(store, module);
        var definition = module.Definition;
        BindImports(instance, definition, imports);
        AllocateTags(instance, definition);
        AllocateMemories(instance, definition);
        AllocateTables(instance, definition);
        AllocateGlobals(instance, definition);
        store.Own(instance);
        EvaluateElements(instance, definition);
        InitializeTables(instance, definition);
        InitializeMemories(instance, definition);
        if (definition.HasStart) instance.FunctionAt(definition.StartFunction).Call();
        return instance;
    }

    static void BindImports(Instance instance, ModuleDefinition definition, object[] imports)
    {
        instance.Imports = ArrayOf<Function>(definition.ImportedFunctionCount);
        instance.Tables = ArrayOf<Table>(definition.Tables.Length);
        instance.Memories = ArrayOf<Memory>(definition.Memories.Length);
        instance.Globals = ArrayOf<Global>(definition.Globals.Length);
        instance.Tags = ArrayOf<Tag>(definition.Tags.Length);
        for (var i = 0; i < imports.Length; i++)
        {
            var index = definition.Imports[i].Index;
            switch (imports[i])
            {
                case HostDefinition host:
                    instance.Imports[index] = new(instance.Store, host.Signature, host.Function, instance.Caller);
                    break;
                // A host function that another instance imported, or none: this instance is the caller from here.
                case Function { Host: { } host } function:
                    instance.Imports[index] = new(instance.Store, function.Signature, host, instance.Caller);
                    break;
                case Function function: instance.Imports[index] = function; break;
                case Table table: instance.Tables[index] = table; break;
                case Memory memory: instance.Memories[index] = instance.Store.Share(memory); break;
                case Global global: instance.Globals[index] = global; break;
                case Tag tag: instance.Tags[index] = tag; break;
            }
        }
    }

    static void AllocateTags(Instance instance, ModuleDefinition definition)
    {
        for (var i = definition.ImportedTagCount; i < definition.Tags.Length; i++)
            instance.Tags[i] = new Tag(instance.Store, instance.Module.Code.TagSignature(i));
    }

    static void AllocateMemories(Instance instance, ModuleDefinition definition)
    {
        var images = instance.Module.Images.Next();
        for (var i = definition.ImportedMemoryCount; i < definition.Memories.Length; i++)
        {
            var image = images.IsEmpty ? null : images[i];
            instance.Memories[i] = new Memory(instance.Store, definition.Memories[i].Limits, image);
        }
        if (instance.Memories.Length == 0) return;
        instance.Memory0 = instance.Memories[0];
        instance.MemoryBase = instance.Memory0.Base;
    }

    static void AllocateTables(Instance instance, ModuleDefinition definition)
    {
        for (var i = definition.ImportedTableCount; i < definition.Tables.Length; i++)
        {
            var table = definition.Tables[i];
            var initial = table.Initializer.IsEmpty
                ? null
                : ConstantExpression.Evaluate(instance, table.Initializer).AsReference;
            var type = instance.Module.Code.Types.Canonical(table.ElementType);
            instance.Tables[i] = new Table(instance.Store, type, table.Limits, initial);
        }
        if (instance.Tables.Length != 0) instance.Table0 = instance.Tables[0];
    }

    static void AllocateGlobals(Instance instance, ModuleDefinition definition)
    {
        var count = definition.Globals.Length;
        var numbers = instance.Module.Code.LinkedNumbers;
        if (count + numbers.Length == 0) return;
        instance.Cells = instance.Store.AllocateCells(count + numbers.Length);
        for (var i = 0; i < numbers.Length; i++) *(long*)(instance.Cells + (nint)(count + i) * Store.CellBytes) = numbers[i];
        // The cell of an imported global holds a pointer to the global's own cell.
        for (var i = 0; i < count; i++)
        {
            var cell = instance.Cells + (nint)i * Store.CellBytes;
            if (i < definition.ImportedGlobalCount)
            {
                *(byte**)cell = instance.Globals[i].Cell;
                continue;
            }
            var global = definition.Globals[i];
            var type = instance.Module.Code.Types.Canonical(global.Type);
            instance.Globals[i] = new Global(instance.Store, type, global.IsMutable, cell);
            instance.Globals[i].Set(ConstantExpression.Evaluate(instance, global.Initializer));
        }
    }

    static void EvaluateElements(Instance instance, ModuleDefinition definition)
    {
        instance.Elements = ArrayOf<object?[]?>(definition.Elements.Length);
        for (var i = 0; i < instance.Elements.Length; i++)
        {
            var segment = definition.Elements[i];
            if (segment.Mode == SegmentMode.Declarative) continue;
            if (!instance.Store.TryChargeElements(segment.Count))
                throw new LinkException("element segments hold more elements than the store's limit allows");
            instance.Elements[i] = Evaluate(instance, segment);
        }
    }

    static object?[] Evaluate(Instance instance, ElementSegment segment)
    {
        var elements = new object?[segment.Count];
        for (var i = 0; i < elements.Length; i++)
        {
            elements[i] = segment.Functions.IsDefault
                ? ConstantExpression.Evaluate(instance, segment.Expressions[i]).AsReference
                : instance.FunctionAt(segment.Functions[i]);
        }
        return elements;
    }

    static void InitializeTables(Instance instance, ModuleDefinition definition)
    {
        for (var i = 0; i < definition.Elements.Length; i++)
        {
            var segment = definition.Elements[i];
            if (segment.Mode != SegmentMode.Active) continue;
            var offset = Address(instance, segment.Offset, definition.Tables[segment.TableIndex].Limits);
            GuestTables.Init(instance, segment.TableIndex, i, offset, 0, segment.Count);
            GuestTables.DropElements(instance, i);
        }
    }

    static void InitializeMemories(Instance instance, ModuleDefinition definition)
    {
        instance.DroppedData = ArrayOf<bool>(definition.Data.Length);
        for (var i = 0; i < definition.Data.Length; i++)
        {
            var segment = definition.Data[i];
            if (segment.Mode != SegmentMode.Active) continue;
            if (!IsInImage(instance, definition, segment.MemoryIndex))
            {
                var offset = Address(instance, segment.Offset, definition.Memories[segment.MemoryIndex].Limits);
                GuestMemory.Init(instance, segment.MemoryIndex, i, offset, 0, segment.Content.Length);
            }
            GuestMemory.DropData(instance, i);
        }
    }

    // An imported memory may have an image too: of another module.
    static bool IsInImage(Instance instance, ModuleDefinition definition, int memory) =>
        memory >= definition.ImportedMemoryCount && instance.Memories[memory].HasImage;

    static long Address(Instance instance, CodeRange offset, SizeLimits limits)
    {
        var value = ConstantExpression.Evaluate(instance, offset);
        return limits.Is64 ? value.AsI64 : (uint)value.AsI32;
    }

    static T[] ArrayOf<T>(int length) => length == 0 ? [] : new T[length];
}
