using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Validation;

/// <summary>
/// Gives every defined type a number that is the same for equivalent types of all modules added (core 3.1.2: types
/// are equal when their whole recursion groups are). A <see cref="ValueType"/> whose
/// <see cref="ValueType.TypeIndex"/> is such a number is called canonical here. Thread-safe; grows with the distinct
/// types of its modules and never forgets one, so it lives as long as the engine it belongs to.
/// </summary>
sealed class TypeCanonicalizer
{
    readonly Lock _lock = new();
    readonly Dictionary<int[], int> _groups = new(new GroupComparer());
    Entry[] _entries = new Entry[16]; // replaced when it grows, so that readers need no lock
    int _count;

    /// <summary>The numbers of a module's types, by type index. References must be in range.</summary>
    public int[] Add(ImmutableArray<TypeDefinition> types)
    {
        var ids = new int[types.Length];
        lock (_lock)
        {
            for (var start = 0; start < types.Length; start += types[start].GroupLength)
                AddGroup(types.AsSpan().Slice(start, types[start].GroupLength), ids);
        }
        return ids;
    }

    /// <summary>The number of a host function's type, which names types by their numbers.</summary>
    /// <exception cref="ArgumentException">A number is no type's.</exception>
    public int Add(FunctionType type)
    {
        var definition = new TypeDefinition
        {
            Index = 0,
            GroupStart = 0,
            GroupLength = 1,
            Kind = CompositeKind.Function,
            Function = type,
        };
        lock (_lock)
        {
            for (var i = 0; i < type.Parameters.Length; i++) Check(type.Parameters[i]);
            for (var i = 0; i < type.Results.Length; i++) Check(type.Results[i]);
            var key = new GroupKey(int.MaxValue, null);
            key.Add(definition);
            return AddGroup([definition], key, null);
        }
    }

    /// <summary>Refuses a type that names one by a number which is none's.</summary>
    /// <exception cref="ArgumentException">It does.</exception>
    public void Check(ValueType type)
    {
        var isNumbered = type is { Kind: ValueKind.Ref, Heap: HeapKind.Defined };
        if (isNumbered && (uint)type.TypeIndex >= (uint)Volatile.Read(ref _count))
            throw new ArgumentException($"no type of this engine has the number {type.TypeIndex}");
    }

    /// <summary>Whether a value of the one type is a value of the other; both by number.</summary>
    public bool IsSubtype(int sub, int super)
    {
        var entries = Volatile.Read(ref _entries);
        while (sub != super)
        {
            sub = entries[sub].Super;
            if (sub < 0) return false;
        }
        return true;
    }

    /// <summary>A type's supertypes from the root down, itself last: a subtype's list starts with it.</summary>
    public int[] LineageOf(int id)
    {
        var entries = Volatile.Read(ref _entries);
        var depth = 1;
        for (var at = id; entries[at].Super >= 0; at = entries[at].Super) depth++;
        var lineage = new int[depth];
        for (var at = id; depth > 0; at = entries[at].Super) lineage[--depth] = at;
        return lineage;
    }

    /// <summary>What a type is made of.</summary>
    public CompositeKind KindOf(int id) => Volatile.Read(ref _entries)[id].Kind;

    /// <summary>Whether a value of the one canonical type is a value of the other (core 3.3.3).</summary>
    public bool Matches(ValueType sub, ValueType super)
    {
        if (sub == super || sub.Kind == ValueKind.Bottom) return true;
        if (sub.Kind != ValueKind.Ref || super.Kind != ValueKind.Ref) return false;
        if (sub.IsNullable && !super.IsNullable) return false;
        if (sub.Heap == HeapKind.Defined)
        {
            return super.Heap == HeapKind.Defined
                ? IsSubtype(sub.TypeIndex, super.TypeIndex)
                : IsAbstractSubtype(AbstractOf(KindOf(sub.TypeIndex)), super.Heap);
        }
        return super.Heap == HeapKind.Defined
            ? sub.Heap == BottomOf(KindOf(super.TypeIndex)) || sub.Heap == HeapTypes.Bottom
            : IsAbstractSubtype(sub.Heap, super.Heap);
    }

    /// <summary>A module's value type as canonical type.</summary>
    public static ValueType Canonical(ValueType type, int[] ids) =>
        type.Heap == HeapKind.Defined && type.Kind == ValueKind.Ref
            ? type with { TypeIndex = ids[type.TypeIndex] }
            : type;

    static HeapKind AbstractOf(CompositeKind kind) => kind switch
    {
        CompositeKind.Function => HeapKind.Func,
        CompositeKind.Struct => HeapKind.Struct,
        _ => HeapKind.Array,
    };

    static HeapKind BottomOf(CompositeKind kind) =>
        kind == CompositeKind.Function ? HeapKind.NoFunc : HeapKind.None;

    static bool IsAbstractSubtype(HeapKind sub, HeapKind super) => sub == super || super switch
    {
        HeapKind.Any => sub is HeapKind.Eq or HeapKind.I31 or HeapKind.Struct or HeapKind.Array or HeapKind.None,
        HeapKind.Eq => sub is HeapKind.I31 or HeapKind.Struct or HeapKind.Array or HeapKind.None,
        HeapKind.I31 or HeapKind.Struct or HeapKind.Array => sub is HeapKind.None,
        HeapKind.Func => sub is HeapKind.NoFunc,
        HeapKind.Extern => sub is HeapKind.NoExtern,
        HeapKind.Exn => sub is HeapKind.NoExn,
        _ => false,
    } || sub == HeapTypes.Bottom;

    void AddGroup(ReadOnlySpan<TypeDefinition> group, int[] ids)
    {
        var start = group[0].GroupStart;
        var key = new GroupKey(start, ids);
        foreach (var type in group) key.Add(type);
        var first = AddGroup(group, key, ids);
        for (var i = 0; i < group.Length; i++) ids[start + i] = first + i;
    }

    int AddGroup(ReadOnlySpan<TypeDefinition> group, GroupKey key, int[]? ids)
    {
        ref var first = ref CollectionsMarshal.GetValueRefOrAddDefault(_groups, key.ToArray(), out var exists);
        if (!exists)
        {
            first = _count;
            AddEntries(group, group[0].GroupStart, ids);
        }
        return first;
    }

    void AddEntries(ReadOnlySpan<TypeDefinition> group, int start, int[]? ids)
    {
        var entries = _entries;
        if (_count + group.Length > entries.Length)
        {
            entries = new Entry[Math.Max(_count + group.Length, entries.Length * 2)];
            Array.Copy(_entries, entries, _count);
        }
        foreach (var type in group)
        {
            var super = type.Supertypes is [var declared, ..] ? declared : -1;
            // A supertype inside the group is added in this very loop, before its subtypes.
            if (super >= 0) super = super < start ? ids![super] : _count - (type.Index - super);
            entries[_count++] = new Entry(type.Kind, super);
        }
        Volatile.Write(ref _entries, entries);
    }

    readonly record struct Entry(CompositeKind Kind, int Super);

    /// <summary>A recursion group as numbers: equal for equivalent groups and only for them.</summary>
    readonly struct GroupKey(int groupStart, int[]? ids)
    {
        readonly List<int> _numbers = [];

        public void Add(TypeDefinition type)
        {
            _numbers.Add((int)type.Kind | (type.IsFinal ? 4 : 0) | (type.Supertypes.Length << 3));
            for (var i = 0; i < type.Supertypes.Length; i++) AddReference(type.Supertypes[i]);
            if (type.Function is { } function)
            {
                AddAll(function.Parameters);
                AddAll(function.Results);
                return;
            }
            _numbers.Add(type.Fields.Length);
            for (var i = 0; i < type.Fields.Length; i++)
            {
                var field = type.Fields[i];
                _numbers.Add((int)field.Packing | (field.IsMutable ? 4 : 0));
                Add(field.Type);
            }
        }

        public int[] ToArray() => [.. _numbers];

        void AddAll(ImmutableArray<ValueType> types)
        {
            _numbers.Add(types.Length);
            for (var i = 0; i < types.Length; i++) Add(types[i]);
        }

        void Add(ValueType type)
        {
            _numbers.Add((int)type.Kind | (type.IsNullable ? 0x100 : 0) | ((int)type.Heap << 16));
            if (type.Kind == ValueKind.Ref && type.Heap == HeapKind.Defined) AddReference(type.TypeIndex);
        }

        // Inside the group the place in it, else the number already given: ~place and number never meet. Without a
        // module references are numbers.
        void AddReference(int index) =>
            _numbers.Add(index >= groupStart ? ~(index - groupStart) : ids is null ? index : ids[index]);
    }

    sealed class GroupComparer : IEqualityComparer<int[]>
    {
        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(int[] key)
        {
            var hash = new HashCode(); // seeded per process: a guest cannot aim at collisions
            hash.AddBytes(MemoryMarshal.AsBytes(key.AsSpan()));
            return hash.ToHashCode();
        }
    }
}
