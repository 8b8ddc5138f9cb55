using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>Type definitions: references in range, declared supertypes that match (core 3.2.9 to 3.2.11).</summary>
static class TypeSectionRules
{
    public static void Check(ModuleContext context)
    {
        var types = context.Module.Types;
        foreach (var type in types) CheckReferences(type);
        var depths = new byte[types.Length];
        foreach (var type in types)
        {
            foreach (var super in type.Supertypes)
            {
                depths[type.Index] = (byte)(depths[super] + 1);
                if (depths[type.Index] > Limits.SubtypeDepth)
                    throw Invalid($"sub type hierarchy too deep: the limit is {Limits.SubtypeDepth}", type);
                CheckSupertype(context, type, types[super]);
            }
        }
    }

    static void CheckReferences(TypeDefinition type)
    {
        var bound = type.GroupStart + type.GroupLength;
        if (type.Supertypes.Length > 1) throw Invalid($"sub type {type.Index} has several super types", type);
        foreach (var super in type.Supertypes)
        {
            if ((uint)super >= (uint)type.Index) throw Invalid($"unknown type {(uint)super}", type);
        }
        foreach (var field in type.Fields) CheckReference(type, field.Type, bound);
        if (type.Function is null) return;
        foreach (var parameter in type.Function.Parameters) CheckReference(type, parameter, bound);
        foreach (var result in type.Function.Results) CheckReference(type, result, bound);
    }

    static void CheckReference(TypeDefinition owner, ValueType type, int bound)
    {
        if (!ModuleContext.IsInRange(type, bound)) throw Invalid($"unknown type {(uint)type.TypeIndex}", owner);
    }

    static void CheckSupertype(ModuleContext context, TypeDefinition sub, TypeDefinition super)
    {
        if (super.IsFinal || sub.Kind != super.Kind || !Matches(context.Types, sub, super))
            throw Invalid($"sub type {sub.Index} does not match super type {super.Index}", sub);
    }

    static bool Matches(ModuleTypes types, TypeDefinition sub, TypeDefinition super)
    {
        if (sub.Function is { } function)
        {
            return types.Matches(super.Function!.Parameters.AsSpan(), function.Parameters.AsSpan())
                && types.Matches(function.Results.AsSpan(), super.Function.Results.AsSpan());
        }
        if (sub.Fields.Length < super.Fields.Length) return false;
        for (var i = 0; i < super.Fields.Length; i++)
        {
            if (!types.Matches(sub.Fields[i], super.Fields[i])) return false;
        }
        return true;
    }

    static InvalidException Invalid(string reason, TypeDefinition type) => new(reason, $"type {type.Index}");
}
