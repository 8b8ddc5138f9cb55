using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Runtime;

/// <summary>A host function in a linker, before a store is known.</summary>
sealed record HostDefinition(Signature Signature, HostFunction Function);

/// <summary>Finds what a module imports, and checks it (core 4.5.3, external typing).</summary>
static class ImportResolver
{
    /// <summary>One object per import, in order; a host function is left as <see cref="HostDefinition"/>.</summary>
    public static object[] Resolve(Linker linker, Store store, Module module)
    {
        var definition = module.Definition;
        var found = new object[definition.Imports.Length];
        List<string>? failures = null;
        for (var i = 0; i < found.Length; i++)
        {
            var import = definition.Imports[i];
            var wanted = import.Kind == ExternKind.Function ? module.Code.SignatureOf(import.Index) : null;
            var external = linker.Find(import.Module, import.Name, wanted);
            var isLenient = linker.TrapUnknownImports || store.Lacks(SafetyCheck.Imports);
            if (external is null && isLenient && import.Kind == ExternKind.Function)
                external = Unknown(module, import);
            if (external is null) (failures ??= []).Add($"unknown import: {Describe(module, import)}");
            else if (Mismatch(module, import, external, store) is { } reason)
                (failures ??= []).Add($"incompatible import type: {Describe(module, import)} {reason}");
            else found[i] = external;
        }
        if (failures is not null) throw new LinkException(string.Join("; ", failures));
        return found;
    }

    static HostDefinition Unknown(Module module, ImportDefinition import) => new(
        module.Code.SignatureOf(import.Index),
        (_, _, _) => throw new TrapException(TrapCode.UnknownImport, $"{import.Module}.{import.Name}"));

    static string Describe(Module module, ImportDefinition import) => import.Kind switch
    {
        ExternKind.Function => $"{import.Module}.{import.Name} {module.Definition.Functions[import.Index].Type}",
        _ => $"{import.Module}.{import.Name} ({import.Kind.ToString().ToLowerInvariant()})",
    };

    static string? Mismatch(Module module, ImportDefinition import, object external, Store store) => external switch
    {
        HostDefinition host when import.Kind == ExternKind.Function =>
            Mismatch(module, import, host.Signature),
        Function function when import.Kind == ExternKind.Function =>
            Foreign(function.Store, store) ?? Mismatch(module, import, function.Signature),
        Memory memory when import.Kind == ExternKind.Memory =>
            Mismatch(module.Definition.Memories[import.Index].Limits, memory, store),
        Table table when import.Kind == ExternKind.Table =>
            Foreign(table.Store, store) ?? Mismatch(module, module.Definition.Tables[import.Index], table),
        Global global when import.Kind == ExternKind.Global =>
            Foreign(global.Store, store) ?? Mismatch(module, module.Definition.Globals[import.Index], global),
        Tag tag when import.Kind == ExternKind.Tag =>
            Foreign(tag.Store, store) ?? Mismatch(module.Code.TagSignature(import.Index), tag.Signature),
        _ => $"is a {(external is HostDefinition ? nameof(Function) : external.GetType().Name).ToLowerInvariant()}",
    };

    static string? Foreign(Store owner, Store store) => owner == store ? null : "belongs to another store";

    static string? Mismatch(Module module, ImportDefinition import, Signature given)
    {
        var isFit = module.Engine.Types.IsSubtype(given.Id, module.Code.SignatureOf(import.Index).Id)
            || module.Engine.Options.Without == SafetyCheck.ImportTypes;
        return isFit ? null : $"has the type {given.Type}";
    }

    static string? Mismatch(Signature wanted, Signature given) =>
        wanted == given ? null : $"has the type {given.Type}";

    static string? Mismatch(Module module, TableDefinition wanted, Table table) =>
        module.Code.Types.Canonical(wanted.ElementType) == table.ElementType
        ? Mismatch(wanted.Limits, table.Length, table.Limits.Max, table.Is64)
        : $"holds {table.ElementType}";

    static string? Mismatch(Module module, GlobalDefinition wanted, Global global)
    {
        var type = module.Code.Types.Canonical(wanted.Type);
        // What is only read may be more than was asked for.
        var isFit = wanted.IsMutable == global.IsMutable
            && (wanted.IsMutable ? type == global.Type : module.Engine.Types.Matches(global.Type, type));
        return isFit ? null : $"is {(global.IsMutable ? "mutable" : "immutable")} {global.Type}";
    }

    static string? Mismatch(SizeLimits wanted, Memory memory, Store store)
    {
        // Shared memories are made to be in several stores: of one engine, so that portable mode is the same for all.
        var isFree = memory.IsShared && memory.Store.Engine == store.Engine;
        if (!isFree && Foreign(memory.Store, store) is { } reason) return reason;
        if (wanted.IsShared != memory.IsShared) return memory.IsShared ? "is shared" : "is not shared";
        return Mismatch(wanted, memory.Length / Memory.PageBytes, (ulong?)memory.PagesMax, memory.Is64);
    }

    static string? Mismatch(SizeLimits wanted, long size, ulong? sizeMax, bool is64)
    {
        if (wanted.Is64 != is64) return $"has {(is64 ? "i64" : "i32")} addresses";
        if ((ulong)size < wanted.Min) return $"has {size} of {wanted.Min}";
        if (wanted.Max is not { } max) return null;
        return sizeMax is { } given && given <= max ? null : $"may grow beyond {max}";
    }
}
