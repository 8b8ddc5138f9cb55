using System.Collections.Immutable;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Validation;

namespace Millrace.Wasm.Verification;

/// <summary>
/// What references are known to be, as numbers: an order in which any two have a least type above both. Null belongs
/// to all of them, for what a null does is safe. Defined types count by equal ones; an exact one is of no subtype,
/// because it was just made. Negative numbers are sets of tags that an exception may have.
/// </summary>
sealed class ReferenceTypes
{
    public const int Unset = 0; // no value at all
    public const int Null = 1;
    public const int Top = 2; // whatever the host gives as well
    public const int Exception = 3;
    public const int Function = 4;
    public const int Eq = 5;
    public const int I31 = 6;
    public const int Struct = 7;
    public const int Array = 8;
    public const int Thrown = 9; // an exception of .NET: never a guest's
    public const int Self = 10; // of a crossing: a function of its signature
    const int FirstDefined = 16;

    readonly ImmutableArray<TypeDefinition> _definitions;
    readonly int[] _first; // of each type: the first equal one
    readonly int[] _super; // of that one: its supertype's, or −1
    readonly Dictionary<int, int> _byId = [];
    readonly List<int[]> _tagSets = [];

    public ReferenceTypes(ImmutableArray<TypeDefinition> definitions, ModuleTypes? types)
    {
        _definitions = definitions;
        _first = new int[definitions.Length];
        _super = new int[definitions.Length];
        for (var i = 0; i < definitions.Length; i++)
        {
            if (_byId.TryGetValue(types!.IdOf(i), out var first)) _first[i] = first;
            else _byId[types.IdOf(i)] = _first[i] = i;
        }
        for (var i = 0; i < definitions.Length; i++)
            _super[i] = definitions[i].Supertypes is [var super, ..] ? _first[super] : -1;
    }

    /// <summary>The first of the types equal to that one.</summary>
    public int FirstOf(int typeIndex) => _first[typeIndex];

    public int Defined(int typeIndex) => FirstDefined + (2 * (_first.Length == 0 ? typeIndex : _first[typeIndex]));

    /// <summary>An object just made.</summary>
    public int Exact(int typeIndex) => Defined(typeIndex) + 1;

    /// <summary>By the type's number in the engine; <see cref="Unset"/> for none of this module's.</summary>
    public int Numbered(int id) => _byId.TryGetValue(id, out var first) ? FirstDefined + (2 * first) : Unset;

    public static bool IsDefined(int type) => type >= FirstDefined;

    public static bool IsExact(int type) => IsDefined(type) && (type & 1) != 0;

    /// <summary>The definition of a defined type.</summary>
    public TypeDefinition DefinitionOf(int type) => _definitions[IndexOf(type)];

    public static int IndexOf(int type) => (type - FirstDefined) >> 1;

    public int Of(ValueType type) => type.Heap switch
    {
        HeapKind.Defined => Defined(type.TypeIndex),
        HeapKind.Func => Function,
        HeapKind.Exn => Exception,
        HeapKind.Eq => Eq,
        HeapKind.I31 => I31,
        HeapKind.Struct => Struct,
        HeapKind.Array => Array,
        HeapKind.Any or HeapKind.Extern => Top,
        _ => Null,
    };

    /// <summary>An exception that has one of these tags.</summary>
    public int WithTags(ReadOnlySpan<int> tags)
    {
        for (var i = 0; i < _tagSets.Count; i++)
            if (tags.SequenceEqual(_tagSets[i])) return -1 - i;
        _tagSets.Add(tags.ToArray());
        return -_tagSets.Count;
    }

    public ReadOnlySpan<int> TagsOf(int type) => type < 0 ? _tagSets[-1 - type] : [];

    /// <summary>As far as is known, the exception has no longer that tag.</summary>
    public int WithoutTag(int type, int tag) =>
        type < 0 ? WithTags([.. TagsOf(type).ToArray().Where(one => one != tag)]) : type;

    public int UnionOfTags(int left, int right) =>
        left < 0 && right < 0 ? WithTags([.. TagsOf(left), .. TagsOf(right)]) : Exception;

    /// <summary>Whether a value of the one is a value of the other.</summary>
    public bool Is(int type, int super)
    {
        for (; type != super; type = Above(type))
        {
            if (type == Null) return super != Thrown;
            if (type is Top or Thrown or Unset) return false;
        }
        return true;
    }

    /// <summary>The least type above both; <see cref="Unset"/> where one is.</summary>
    public int Join(int left, int right)
    {
        if (left == right || right == Null) return left;
        if (left == Null) return right;
        if (left == Unset || right == Unset || left == Thrown || right == Thrown) return Unset;
        while (!Is(right, left)) left = Above(left);
        return left;
    }

    int Above(int type)
    {
        if (type < 0) return Exception;
        if (IsDefined(type))
        {
            if ((type & 1) != 0) return type - 1;
            var super = _super.Length == 0 ? -1 : _super[IndexOf(type)];
            if (super >= 0) return FirstDefined + (2 * super);
            if (_super.Length == 0) return Top;
            return DefinitionOf(type).Kind switch
            {
                CompositeKind.Function => Function,
                CompositeKind.Struct => Struct,
                _ => Array,
            };
        }
        return type switch
        {
            I31 or Struct or Array => Eq,
            Self => Function,
            _ => Top,
        };
    }
}
