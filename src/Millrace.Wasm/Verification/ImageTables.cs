using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace Millrace.Wasm.Verification;

/// <summary>Names in an image's metadata, and what else of it is asked more than once.</summary>
sealed class ImageTables
{
    const string EngineNamespace = "Millrace.Wasm";

    static readonly string Engine = typeof(ImageTables).Assembly.GetName().Name!;
    static readonly string Framework = typeof(object).Assembly.GetName().Name!;

    // Tables that an image of the engine's may have rows in: nothing that runs by itself, calls native code, names
    // files, or shows types of others.
    static readonly TableIndex[] Allowed =
    [
        TableIndex.Module, TableIndex.TypeRef, TableIndex.TypeDef, TableIndex.Field, TableIndex.MethodDef,
        TableIndex.MemberRef, TableIndex.StandAloneSig, TableIndex.TypeSpec, TableIndex.MethodSpec,
        TableIndex.Assembly, TableIndex.AssemblyRef,
    ];

    readonly Dictionary<TypeReferenceHandle, string> _names = [];
    readonly Dictionary<int, (SlotType Returned, SlotType[] Parameters)> _callSites = [];
    readonly HashSet<string> _classes;

    /// <param name="metadata">The image's metadata.</param>
    /// <param name="classes">Names of the classes of objects that it may define and refer to.</param>
    public ImageTables(MetadataReader metadata, HashSet<string> classes)
    {
        (Metadata, _classes) = (metadata, classes);
        Types = new TypeNames(this);
        foreach (var table in Enum.GetValues<TableIndex>())
        {
            if (metadata.GetTableRowCount(table) != 0 && !Allowed.Contains(table))
                throw new Refusal($"the image has a table {table}");
        }
        foreach (var handle in metadata.AssemblyReferences)
        {
            var name = metadata.GetString(metadata.GetAssemblyReference(handle).Name);
            if (name != Engine && name != Framework) throw new Refusal($"the image refers to the assembly {name}");
        }
    }

    public MetadataReader Metadata { get; }

    public TypeNames Types { get; }

    /// <summary>The name of a type: see <see cref="TypeNames"/>.</summary>
    public string NameOf(TypeReferenceHandle handle)
    {
        if (!_names.TryGetValue(handle, out var name)) _names[handle] = name = ReadName(handle);
        return name;
    }

    /// <summary>The name of a type that a member belongs to.</summary>
    public string NameOf(EntityHandle type) => type.Kind switch
    {
        HandleKind.TypeReference => NameOf((TypeReferenceHandle)type),
        HandleKind.TypeSpecification =>
            Metadata.GetTypeSpecification((TypeSpecificationHandle)type).DecodeSignature(Types, null),
        _ => throw new Refusal($"a type is named by a {type.Kind}"),
    };

    public string Text(StringHandle handle) => Metadata.GetString(handle);

    /// <summary>Whether a call site's signature is that of a function type.</summary>
    public bool IsCallOf(int token, FunctionType type)
    {
        var (returned, parameters) = CallSite(token);
        return returned == MethodShape.ReturnedBy(type)
            && MethodShape.ArgumentsOf(type, SlotType.Object).SequenceEqual(parameters);
    }

    /// <summary>A type with that signature, for a call that never comes to be: what it gives is never seen.</summary>
    public FunctionType AnyTypeOf(int token)
    {
        var (returned, parameters) = CallSite(token);
        var never = ValueType.Reference(HeapKind.None, isNullable: true);
        var context = Array.FindLastIndex(parameters, one => one.Kind != SlotKind.Reference);
        var further = parameters.Skip(context + 1).Select(one => AsValue(new((SlotKind)one.Of), never));
        IEnumerable<ValueType> first = returned.Kind == SlotKind.Void ? [] : [AsValue(returned, never)];
        return new([.. parameters.Take(Math.Max(0, context)).Select(one => AsValue(one, ValueType.ExternRef))],
            [.. first, .. further]);
    }

    static ValueType AsValue(SlotType type, ValueType reference) => type.Kind switch
    {
        SlotKind.Int32 => ValueType.I32,
        SlotKind.Int64 => ValueType.I64,
        SlotKind.Single => ValueType.F32,
        SlotKind.Double => ValueType.F64,
        SlotKind.Vector => ValueType.V128,
        _ => reference,
    };

    (SlotType Returned, SlotType[] Parameters) CallSite(int token)
    {
        if (_callSites.TryGetValue(token, out var known)) return known;
        var handle = MetadataTokens.EntityHandle(token);
        if (handle.Kind != HandleKind.StandaloneSignature) throw new Refusal("a call without signature");
        var signature = Metadata.GetStandaloneSignature((StandaloneSignatureHandle)handle)
            .DecodeMethodSignature(Types, null);
        var header = signature.Header;
        if (header.IsInstance || header.CallingConvention != SignatureCallingConvention.Default)
            throw new Refusal("a call of another convention");
        return _callSites[token] = (
            SlotType.Named(signature.ReturnType), [.. signature.ParameterTypes.Select(SlotType.Named)]);
    }

    string ReadName(TypeReferenceHandle handle)
    {
        var type = Metadata.GetTypeReference(handle);
        var (space, name) = (Text(type.Namespace), Text(type.Name));
        switch (type.ResolutionScope.Kind)
        {
            case HandleKind.AssemblyReference:
                var scope = (AssemblyReferenceHandle)type.ResolutionScope;
                if (Text(Metadata.GetAssemblyReference(scope).Name) != Engine) return $"{space}.{name}";
                if (space == EngineNamespace) return $"~{name}";
                if (space.StartsWith(EngineNamespace + '.', StringComparison.Ordinal))
                    return $"~{space[(EngineNamespace.Length + 1)..]}.{name}";
                break;
            case HandleKind.ModuleDefinition when space.Length == 0 && _classes.Contains(name):
                return $"@{name}";
        }
        throw new Refusal($"the image refers to the type {space}.{name}");
    }
}

/// <summary>What could not be proven; told with its place by whoever knows that.</summary>
sealed class Refusal(string reason) : Exception(reason);
