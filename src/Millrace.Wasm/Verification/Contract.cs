using Millrace.Wasm.Binary;
using Millrace.Wasm.Validation;

namespace Millrace.Wasm.Verification;

/// <summary>What code is held to: the valid module that it was made from, and how its engine keeps memories.</summary>
sealed class Contract
{
    readonly Dictionary<string, int> _classes = [];

    /// <param name="definition">The module.</param>
    /// <param name="types">Its types' numbers; null for crossings, which have none.</param>
    /// <param name="objectSlots">Types that its instances make objects of, by slot.</param>
    public Contract(ModuleDefinition definition, ModuleTypes? types, IReadOnlyList<int> objectSlots)
    {
        (Definition, ObjectSlots) = (definition, objectSlots);
        References = new ReferenceTypes(definition.Types, types);
        foreach (var type in definition.Types)
        {
            if (type.Kind == CompositeKind.Struct)
                _classes.TryAdd(ClassRules.Name(References.FirstOf(type.Index)), References.FirstOf(type.Index));
        }
    }

    public ModuleDefinition Definition { get; }

    public ReferenceTypes References { get; }

    public IReadOnlyList<int> ObjectSlots { get; }

    /// <summary>The cells behind those of globals: each holds the number of a type, or what casts to it take.</summary>
    public IReadOnlyList<(int Type, bool IsKey)> TypeNumbers { get; init; } = [];

    /// <summary>Whether a memory's base may move when it grows.</summary>
    public bool MovesMemories { get; init; }

    /// <summary>
    /// Bytes from the base on that are reserved for each 32-bit memory, so that what lies within needs no check:
    /// touching what is not the guest's is a trap. 0 where checks are wanted.
    /// </summary>
    public ulong GuardedBytes { get; init; }

    /// <summary>The rule that a test leaves out.</summary>
    public ProofRule Without { get; init; }

    /// <summary>Refuses the code, unless that very rule is left out.</summary>
    public void Refuse(ProofRule rule, string reason)
    {
        if (rule != Without) throw new Refusal(reason);
    }

    /// <summary>Names of the classes that the image may have.</summary>
    public HashSet<string> ClassNames => field ??= [.. _classes.Keys];

    /// <summary>The type of a class.</summary>
    public int ClassOf(string name) => _classes[name];

    /// <summary>The name by which code refers to a type's class.</summary>
    public string ClassNameOf(int typeIndex) => "@" + ClassRules.Name(References.FirstOf(typeIndex));

    /// <summary>The least length that a memory has at any time.</summary>
    public ulong LengthMin(int memory) =>
        unchecked(Definition.Memories[memory].Limits.Min * Wasm.Memory.PageBytes);

    /// <summary>Whether what is at most so far from the base needs no check.</summary>
    public bool IsGuarded(int memory, ulong reach) =>
        !Definition.Memories[memory].Limits.Is64 && reach <= GuardedBytes;
}
