using System.Collections.Immutable;

namespace Millrace.Wasm.Binary;

/// <content>Types, and the types of imports and definitions.</content>
ref partial struct ModuleReader
{
    void ReadTypes()
    {
        var count = _bytes.Count(Limits.Types, "types");
        for (var i = 0; i < count; i++)
        {
            var isGroup = _bytes.Peek() == 0x4E;
            if (isGroup) _bytes.Byte();
            ReadGroup(isGroup ? _bytes.Count(Limits.Types, "types") : 1);
            if (isGroup) _features |= WasmFeatures.Gc;
        }
    }

    void ReadGroup(int length)
    {
        var start = _types.Count;
        if (start + length > Limits.Types) throw Malformed("too many types", _bytes.Position);
        for (var i = 0; i < length; i++) _types.Add(ReadSubtype(start, length));
    }

    TypeDefinition ReadSubtype(int groupStart, int groupLength)
    {
        var isFinal = true;
        var supertypes = Arrays<int>.Empty;
        if (_bytes.Peek() is 0x50 or 0x4F)
        {
            isFinal = _bytes.Byte() == 0x4F;
            var count = _bytes.Count(Limits.Supertypes, "supertypes");
            var list = new ArrayBuilder<int>(count);
            while (list.Count < count) list.Add(_bytes.Index());
            supertypes = list.Finish();
            _features |= WasmFeatures.Gc;
        }
        return ReadComposite(new TypeShape(_types.Count, groupStart, groupLength, isFinal, supertypes));
    }

    TypeDefinition ReadComposite(TypeShape shape)
    {
        var at = _bytes.Position;
        switch (_bytes.Byte())
        {
            case 0x60:
                var function = new FunctionType(
                    ReadValueTypes(Limits.Parameters, "parameters"), ReadValueTypes(Limits.Results, "results"));
                if (function.Results.Length > 1) _features |= WasmFeatures.MultiValue;
                return shape.Define(CompositeKind.Function, function, Arrays<FieldType>.Empty);
            case 0x5F:
                _features |= WasmFeatures.Gc;
                return shape.Define(CompositeKind.Struct, null, ReadFields());
            case 0x5E:
                _features |= WasmFeatures.Gc;
                return shape.Define(CompositeKind.Array, null, [ReadField()]);
            case >= 0x80: // the form is a signed integer of seven bits
                throw Malformed("integer representation too long", at);
            default:
                throw Malformed("malformed definition type", at);
        }
    }

    ImmutableArray<ValueType> ReadValueTypes(int max, string what)
    {
        var count = _bytes.Count(_without == SafetyCheck.Parameters ? int.MaxValue : max, what);
        if (count == 0) return Arrays<ValueType>.Empty;
        var types = new ArrayBuilder<ValueType>(count);
        for (var i = 0; i < count; i++) types.Add(ReadValueType());
        return types.Finish();
    }

    ValueType ReadValueType()
    {
        var type = _bytes.ValueType();
        _features |= type.Features();
        return type;
    }

    ImmutableArray<FieldType> ReadFields()
    {
        var count = _bytes.Count(_without == SafetyCheck.Fields ? int.MaxValue : Limits.Fields, "fields");
        var fields = new ArrayBuilder<FieldType>(count);
        for (var i = 0; i < count; i++) fields.Add(ReadField());
        return fields.Finish();
    }

    FieldType ReadField()
    {
        var packing = _bytes.Peek() switch
        {
            0x78 => Packing.I8,
            0x77 => Packing.I16,
            _ => Packing.None,
        };
        if (packing != Packing.None) _bytes.Byte();
        var type = packing == Packing.None ? ReadValueType() : ValueType.I32;
        return new FieldType(type, packing, ReadMutability());
    }

    bool ReadMutability()
    {
        var at = _bytes.Position;
        return _bytes.Byte() switch
        {
            0 => false,
            1 => true,
            _ => throw Malformed("malformed mutability", at),
        };
    }

    void ReadImports()
    {
        var count = _bytes.Count(Limits.Imports, "imports");
        for (var i = 0; i < count; i++)
        {
            var (module, name) = (_bytes.Name(), _bytes.Name());
            var at = _bytes.Position;
            var kind = _bytes.Byte();
            if (kind > 4) throw Malformed("malformed import kind", at);
            ReadImport(module, name, (ExternKind)kind);
        }
        _imported = new ImportCounts
        {
            Functions = _functions.Count,
            Tables = _tables.Count,
            Memories = _memories.Count,
            Globals = _globals.Count,
            Tags = _tags.Count,
        };
    }

    void ReadImport(string module, string name, ExternKind kind)
    {
        var index = kind switch
        {
            ExternKind.Function => _functions.Count,
            ExternKind.Table => _tables.Count,
            ExternKind.Memory => _memories.Count,
            ExternKind.Global => _globals.Count,
            _ => _tags.Count,
        };
        var import = new ImportDefinition(module, name, kind, index);
        _imports.Add(import);
        switch (kind)
        {
            case ExternKind.Function:
                var type = _bytes.Index();
                _functions.Add(new FunctionDefinition
                {
                    Index = index,
                    TypeIndex = type,
                    Import = import,
                    Type = FunctionTypeAt(type),
                });
                break;
            case ExternKind.Table:
                _tables.Add(new TableDefinition(ReadReferenceType(), ReadLimits(isMemory: false), default, import));
                break;
            case ExternKind.Memory:
                _memories.Add(new MemoryDefinition(ReadLimits(isMemory: true), import));
                break;
            case ExternKind.Global:
                _globals.Add(new GlobalDefinition(ReadValueType(), ReadMutability(), default, import));
                break;
            default:
                _tags.Add(new TagDefinition(ReadTagType(), import));
                break;
        }
    }

    ValueType ReadReferenceType()
    {
        var type = _bytes.ReferenceType();
        // A table of functions, and segments for it, are as old as the format.
        if (type != ValueType.FuncRef) _features |= type.Features();
        return type;
    }

    SizeLimits ReadLimits(bool isMemory)
    {
        var at = _bytes.Position;
        var flags = _bytes.Byte();
        var (hasMax, isShared, is64) = ((flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0);
        // The threads proposal lets memories be shared, tables never.
        if (flags > 7 || (isShared && !isMemory)) throw Malformed("malformed limits flags", at);
        if (isShared) _features |= WasmFeatures.Threads;
        if (is64) _features |= WasmFeatures.Memory64;
        return new SizeLimits(_bytes.U64(), hasMax ? _bytes.U64() : null, is64, isShared);
    }

    int ReadTagType()
    {
        var at = _bytes.Position;
        return _bytes.Byte() == 0 ? _bytes.Index() : throw Malformed("malformed tag attribute", at);
    }

    readonly FunctionType FunctionTypeAt(int index) =>
        (uint)index < (uint)_types.Count ? _types[index].Function ?? FunctionTypes.Empty : FunctionTypes.Empty;

    /// <summary>What a type definition is before its composite is read.</summary>
    readonly record struct TypeShape(
        int Index, int GroupStart, int GroupLength, bool IsFinal, ImmutableArray<int> Supertypes)
    {
        public TypeDefinition Define(CompositeKind kind, FunctionType? function, ImmutableArray<FieldType> fields) =>
            new()
            {
                Index = Index,
                GroupStart = GroupStart,
                GroupLength = GroupLength,
                IsFinal = IsFinal,
                Supertypes = Supertypes,
                Kind = kind,
                Function = function,
                Fields = fields,
            };
    }
}
