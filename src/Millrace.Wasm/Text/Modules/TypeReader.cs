using System.Collections.Immutable;

namespace Millrace.Wasm.Text.Modules;

/// <summary>A type use as read: the type's index, its signature where it is known to be a function's, and the
/// parameters' identifiers.</summary>
readonly record struct TypeUse(uint Index, FunctionType? Type, IReadOnlyList<string?> ParameterIds);

/// <summary>Reads types and keeps the module's type section.</summary>
sealed class TypeReader(Cursor cursor, ModuleScope scope)
{
    readonly BinaryOutput _section = new();
    readonly List<FunctionType?> _types = [];
    readonly Dictionary<FunctionType, uint> _plain = [];

    /// <summary>Entries of the type section: recursive groups count once.</summary>
    public uint GroupCount { get; private set; }

    /// <summary>The type section without its count.</summary>
    public ReadOnlySpan<byte> Section => _section.Span;

    /// <summary>Reads a <c>(type …)</c> or <c>(rec …)</c> field.</summary>
    public void ReadDefinition()
    {
        GroupCount++;
        if (!cursor.TryOpen("rec"))
        {
            ReadType(isAlone: true);
            return;
        }

        var members = 0u;
        var start = _section.Length;
        for (; cursor.IsForm("type"); members++) ReadType(isAlone: false);
        cursor.Close();
        var body = _section.CutFrom(start);
        _section.Byte(TypeCode.Rec);
        _section.Unsigned(members);
        _section.Bytes(body);
    }

    void ReadType(bool isAlone)
    {
        cursor.Open("type");
        cursor.TryId();
        var isSub = cursor.TryOpen("sub");
        var isFinal = !isSub || cursor.TryKeyword("final");
        var start = _section.Length;
        var supers = 0u;
        if (isSub)
        {
            for (; IndexSpace.IsIndex(cursor); supers++) _section.Unsigned(scope.Types.Read(cursor));
            var body = _section.CutFrom(start);
            if (!isFinal || supers > 0)
            {
                _section.Byte(isFinal ? TypeCode.SubFinal : TypeCode.Sub);
                _section.Unsigned(supers);
                _section.Bytes(body);
            }
        }

        ReadComposite(isPlain: isAlone && isFinal && supers == 0);
        if (isSub) cursor.Close();
        cursor.Close();
    }

    void ReadComposite(bool isPlain)
    {
        if (cursor.TryOpen("func"))
        {
            var type = ReadSignature(null);
            if (isPlain) _plain.TryAdd(type, (uint)_types.Count);
            _types.Add(type);
            TypeCode.Write(_section, type);
        }
        else if (cursor.TryOpen("struct"))
        {
            ReadStruct();
        }
        else
        {
            cursor.Open("array");
            _types.Add(null);
            _section.Byte(TypeCode.Array);
            ReadField();
        }

        cursor.Close();
    }

    void ReadStruct()
    {
        var fields = new IndexSpace("field");
        scope.Fields[(uint)_types.Count] = fields;
        _types.Add(null);
        var start = _section.Length;
        while (cursor.TryOpen("field"))
        {
            var id = cursor.TryId();
            if (id is not null)
            {
                fields.Add(id, cursor);
                ReadField();
            }
            else
            {
                for (; cursor.Kind != TokenKind.Close; fields.Skip(1)) ReadField();
            }

            cursor.Close();
        }

        var body = _section.CutFrom(start);
        _section.Byte(TypeCode.Struct);
        _section.Unsigned(fields.Count);
        _section.Bytes(body);
    }

    void ReadField()
    {
        var isMutable = cursor.TryOpen("mut");
        if (cursor.TryKeyword("i8")) _section.Byte(TypeCode.I8);
        else if (cursor.TryKeyword("i16")) _section.Byte(TypeCode.I16);
        else TypeCode.Write(_section, ReadValueType());
        if (isMutable) cursor.Close();
        _section.Byte(isMutable ? 1 : 0);
    }

    public ValueType ReadValueType()
    {
        if (cursor.Kind != TokenKind.Keyword || !Keywords.TryNumber(cursor.Span, out var type))
            return TryReadReference() ?? throw cursor.Unexpected();
        cursor.Position++;
        return type;
    }

    public ValueType ReadReference() => TryReadReference() ?? throw cursor.Unexpected();

    public bool IsReference =>
        cursor.IsForm("ref") || (cursor.Kind == TokenKind.Keyword && Keywords.TryReference(cursor.Span, out _));

    ValueType? TryReadReference()
    {
        if (cursor.TryOpen("ref"))
        {
            var isNullable = cursor.TryKeyword("null");
            var type = ReadHeap(isNullable);
            cursor.Close();
            return type;
        }

        if (cursor.Kind != TokenKind.Keyword || !Keywords.TryReference(cursor.Span, out var heap)) return null;
        cursor.Position++;
        return ValueType.Reference(heap, isNullable: true);
    }

    /// <summary>Reads a heap type, as a reference to it.</summary>
    public ValueType ReadHeap(bool isNullable)
    {
        if (IndexSpace.IsIndex(cursor)) return ValueType.Reference((int)scope.Types.Read(cursor), isNullable);
        if (cursor.Kind != TokenKind.Keyword || !Keywords.TryHeap(cursor.Span, out var heap)) throw cursor.Unexpected();
        cursor.Position++;
        return ValueType.Reference(heap, isNullable);
    }

    /// <summary>Reads parameters and results; identifiers are allowed where there is a list for them.</summary>
    FunctionType ReadSignature(List<string?>? ids, bool allowIds = true)
    {
        var parameters = ImmutableArray.CreateBuilder<ValueType>();
        var results = ImmutableArray.CreateBuilder<ValueType>();
        while (cursor.TryOpen("param"))
        {
            if (allowIds && cursor.TryId() is { } id)
            {
                ids?.Add(id);
                parameters.Add(ReadValueType());
            }
            else
            {
                for (; cursor.Kind != TokenKind.Close; ids?.Add(null)) parameters.Add(ReadValueType());
            }

            cursor.Close();
        }

        while (cursor.TryOpen("result"))
        {
            while (cursor.Kind != TokenKind.Close) results.Add(ReadValueType());
            cursor.Close();
        }

        return new(parameters.DrainToImmutable(), results.DrainToImmutable());
    }

    /// <summary>Reads a type use and gives it an index, a new one if need be.</summary>
    public TypeUse ReadUse()
    {
        var ids = new List<string?>();
        var (index, type) = ReadUse(ids, allowIds: true);
        return index is { } known ? new(known, type, ids) : new(IndexOf(type!), type, ids);
    }

    /// <summary>As <see cref="ReadUse()"/>, where parameters have no identifiers.</summary>
    public uint ReadAnonymousUse()
    {
        var (index, type) = ReadUse(null, allowIds: false);
        return index ?? IndexOf(type!);
    }

    /// <summary>Reads a block's type use into its bytes.</summary>
    public void ReadBlockType(BinaryOutput output)
    {
        var (index, type) = ReadUse(null, allowIds: false);
        if (index is { } known) output.Signed(known);
        else if (type is { Parameters.Length: 0, Results.Length: 0 }) output.Byte(TypeCode.EmptyBlock);
        else if (type is { Parameters.Length: 0, Results: [var single] }) TypeCode.Write(output, single);
        else output.Signed(IndexOf(type!));
    }

    (uint? Index, FunctionType? Type) ReadUse(List<string?>? ids, bool allowIds)
    {
        if (!cursor.TryOpen("type")) return (null, ReadSignature(ids, allowIds));
        var place = cursor.Position;
        var index = scope.Types.Read(cursor);
        cursor.Close();
        var isInline = IsSignature;
        var inline = ReadSignature(ids, allowIds);
        if (IsSignature) throw Misplaced();
        var known = index < (uint)_types.Count ? _types[(int)index] : null;
        if (!isInline) return (index, known);
        if (index >= (uint)_types.Count) throw Fault("unknown type", place);
        return inline.Equals(known) ? (index, known) : throw Fault("inline function type", place);
    }

    MalformedException Misplaced()
    {
        cursor.Position++;
        return cursor.Unexpected();
    }

    bool IsSignature => cursor.IsForm("param") || cursor.IsForm("result");

    MalformedException Fault(string reason, int position)
    {
        cursor.Position = position;
        return cursor.Error(reason);
    }

    /// <summary>The first plain type with that signature; appended to the section where there is none.</summary>
    uint IndexOf(FunctionType type)
    {
        if (_plain.TryGetValue(type, out var index)) return index;
        index = (uint)_types.Count;
        _plain.Add(type, index);
        _types.Add(type);
        TypeCode.Write(_section, type);
        GroupCount++;
        return index;
    }
}
