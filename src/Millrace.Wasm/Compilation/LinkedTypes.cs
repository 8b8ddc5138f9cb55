using System.Collections.Immutable;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;
using Millrace.Wasm.Runtime.Objects;
using Millrace.Wasm.Validation;

namespace Millrace.Wasm.Compilation;

/// <summary>The types of a module as its engine knows them.</summary>
sealed class LinkedTypes
{
    readonly ModuleDefinition _definition;
    readonly ModuleTypes _types;
    readonly Signature?[] _signatures;
    readonly Dictionary<int, int> _slots = [];
    Dictionary<int, int>? _firsts;

    /// <summary>The types of a module.</summary>
    /// <param name="engine">The engine that numbers them.</param>
    /// <param name="definition">The module.</param>
    /// <param name="slots">Of a module that was compiled before: types with slots, in their order.</param>
    public LinkedTypes(Engine engine, ModuleDefinition definition, ImmutableArray<int> slots = default)
    {
        if (!slots.IsDefault)
            for (var i = 0; i < slots.Length; i++) SlotOf(slots[i]);
        _definition = definition;
        _types = new ModuleTypes(definition, engine.Types);
        _signatures = new Signature?[definition.Types.Length];
        for (var i = 0; i < _signatures.Length; i++)
        {
            if (definition.Types[i].Function is not { } function) continue;
            _signatures[i] = engine.Signatures.Of(_types.IdOf(i), _types.Canonical(function));
        }
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

    /// <summary>The place of a type among those that the module makes objects of; an instance holds one
    /// <see cref="GuestType"/> for each. Given when the module is compiled.</summary>
    public int SlotOf(int typeIndex)
    {
        if (!_slots.TryGetValue(typeIndex, out var slot)) _slots[typeIndex] = slot = _slots.Count;
        return slot;
    }

    /// <summary>The types with slots, in their order.</summary>
    public ImmutableArray<int> Slots => [.. _slots.OrderBy(pair => pair.Value).Select(pair => pair.Key)];

    /// <summary>The first type of the module that is equal to that one.</summary>
    public int FirstLike(int typeIndex)
    {
        if (_firsts is null)
        {
            var firsts = new Dictionary<int, int>();
            for (var i = 0; i < _definition.Types.Length; i++) firsts.TryAdd(IdOf(i), i);
            _firsts = firsts;
        }
        return _firsts[IdOf(typeIndex)];
    }

    /// <summary>The types with slots, in their order, as a store knows them.</summary>
    public GuestType[] TypesFor(ObjectHeap heap)
    {
        var types = new GuestType[_slots.Count];
        foreach (var (type, slot) in _slots)
        {
            var isStruct = _definition.Types[type].Kind == CompositeKind.Struct;
            types[slot] = heap.TypeOf(IdOf(type), isStruct ? HeapKind.Struct : HeapKind.Array);
        }
        return types;
    }

    /// <summary>Number of a type's supertypes.</summary>
    public int DepthOf(int typeIndex)
    {
        var depth = 0;
        while (_definition.Types[typeIndex].Supertypes is [var super, ..]) (typeIndex, depth) = (super, depth + 1);
        return depth;
    }
}
