using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;
using Millrace.Wasm.Validation;

namespace Millrace.Wasm.Compilation;

/// <summary>The types of a module as its engine knows them.</summary>
sealed class LinkedTypes
{
    readonly ModuleDefinition _definition;
    readonly ModuleTypes _types;
    readonly Signature?[] _signatures;

    public LinkedTypes(Engine engine, ModuleDefinition definition)
    {
        _definition = definition;
        _types = new ModuleTypes(definition, engine.Types);
        _signatures = [.. definition.Types.Select(type => type.Function is { } function
            ? engine.Signatures.Of(_types.IdOf(type.Index), _types.Canonical(function))
            : null)];
    }

    /// <summary>A type's number in the engine.</summary>
    public int IdOf(int typeIndex) => _types.IdOf(typeIndex);

    /// <summary>A value type that names others by their numbers.</summary>
    public ValueType Canonical(ValueType type) => _types.Canonical(type);

    /// <summary>Whether a value of the one type is a value of the other; both in this module's indices.</summary>
    public bool Matches(ValueType sub, ValueType super) => _types.Matches(sub, super);

    /// <summary>The signature of a function type.</summary>
    public Signature SignatureOf(int typeIndex) => _signatures[typeIndex]!;

    /// <summary>Whether objects and functions of a type may be of another one.</summary>
    public bool HasSubtypes(int typeIndex) => !_definition.Types[typeIndex].IsFinal;

    /// <summary>Number of a type's supertypes.</summary>
    public int DepthOf(int typeIndex)
    {
        var depth = 0;
        while (_definition.Types[typeIndex].Supertypes is [var super, ..]) (typeIndex, depth) = (super, depth + 1);
        return depth;
    }
}
