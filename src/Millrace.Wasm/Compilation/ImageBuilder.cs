using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Puts static methods into an assembly image. Methods must be added in the order of their indexes; a method's token
/// is known before it is added. The image's name is a friend of this assembly (see the project file), so guest code
/// reaches internal fields and methods without any of them becoming public.
/// </summary>
sealed class ImageBuilder
{
    /// <summary>Name of every image; each lives in a load context of its own.</summary>
    public const string AssemblyName = "Millrace.Guest";

    /// <summary>Methods of one holder type: the runtime builds a type's method table at once, so few.</summary>
    public const int MethodsPerType = 256;

    const string ConstructorName = ".ctor";
    const MethodAttributes FunctionAttributes =
        MethodAttributes.Public | MethodAttributes.Static | MethodAttributes.HideBySig;
    const MethodAttributes ConstructorAttributes = MethodAttributes.Public | MethodAttributes.HideBySig
        | MethodAttributes.SpecialName | MethodAttributes.RTSpecialName;

    // Of the classes of objects: the instance and the type's slot.
    static readonly Type[] OwnConstructorParameters = [typeof(Instance), typeof(int)];

    readonly MetadataBuilder _metadata = new();
    readonly BlobBuilder _il = new();
    readonly MethodBodyStreamEncoder _bodies;
    readonly Dictionary<Assembly, AssemblyReferenceHandle> _assemblies = [];
    readonly Dictionary<Type, TypeReferenceHandle> _types = [];
    readonly Dictionary<Type, TypeSpecificationHandle> _specifications = [];
    readonly Dictionary<MemberInfo, int> _members = [];
    readonly Dictionary<FunctionType, int> _callSites = [];
    readonly TypeReferenceHandle _object;
    int _methodCount;

    /// <param name="name">Tells the image from all others.</param>
    public ImageBuilder(Guid name)
    {
        _bodies = new MethodBodyStreamEncoder(_il);
        var assembly = _metadata.GetOrAddString(AssemblyName);
        _metadata.AddModule(0, assembly, _metadata.GetOrAddGuid(name), default, default);
        _metadata.AddAssembly(assembly, new Version(1, 0, 0, 0), default, default, default, AssemblyHashAlgorithm.None);
        _metadata.AddTypeDefinition(default, default, _metadata.GetOrAddString("<Module>"), default,
            MetadataTokens.FieldDefinitionHandle(1), MetadataTokens.MethodDefinitionHandle(1));
        _object = Type(typeof(object));
    }

    /// <summary>The token of the method with that index.</summary>
    public static int MethodToken(int index) => 0x06000001 + index;

    /// <summary>The token of a field of this assembly.</summary>
    public int Field(FieldInfo field)
    {
        if (_members.TryGetValue(field, out var token)) return token;
        return Add(field, FieldSignature(OpenForm(field).FieldType));
    }

    /// <summary>The token of a constructor of this assembly.</summary>
    public int Constructor(ConstructorInfo constructor)
    {
        if (_members.TryGetValue(constructor, out var token)) return token;
        return Add(constructor, ConstructorSignature(constructor.GetParameters().Select(one => one.ParameterType)));
    }

    /// <summary>The token of a static method of this assembly or of the framework.</summary>
    public int Method(MethodInfo method)
    {
        if (_members.TryGetValue(method, out var token)) return token;
        if (method is { IsGenericMethod: true, IsGenericMethodDefinition: false }) return AddInstance(method);
        var open = OpenForm(method);
        var parameters = open.GetParameters();
        var signature = new BlobBuilder();
        signature.WriteByte((byte)(open.IsGenericMethod ? 0x10 : 0x00));
        if (open.IsGenericMethod) signature.WriteCompressedInteger(open.GetGenericArguments().Length);
        signature.WriteCompressedInteger(parameters.Length);
        Write(signature, open.ReturnType);
        foreach (var parameter in parameters) Write(signature, parameter.ParameterType);
        return Add(method, signature);
    }

    /// <summary>The token of a value type, for loads and stores of it.</summary>
    public int TypeToken(Type type) => MetadataTokens.GetToken(Parent(type));

    /// <summary>The token for a call of a function of that type through its code pointer.</summary>
    public int CallSite(FunctionType type)
    {
        if (_callSites.TryGetValue(type, out var token)) return token;
        var handle = _metadata.AddStandaloneSignature(_metadata.GetOrAddBlob(Signature(type, typeof(object))));
        return _callSites[type] = MetadataTokens.GetToken(handle);
    }

    /// <summary>
    /// The CIL signature of a function: parameters, the context, then a by-reference parameter for each result
    /// behind the first.
    /// </summary>
    public BlobBuilder Signature(FunctionType type, Type context)
    {
        var blob = new BlobBuilder();
        var extra = Math.Max(0, type.Results.Length - 1);
        blob.WriteByte(0x00);
        blob.WriteCompressedInteger(type.Parameters.Length + 1 + extra);
        Write(blob, CilTypes.Returned(type));
        foreach (var parameter in type.Parameters) Write(blob, CilTypes.Of(parameter));
        Write(blob, context);
        for (var i = 1; i <= extra; i++)
        {
            blob.WriteByte(0x10);
            Write(blob, CilTypes.Of(type.Results[i]));
        }
        return blob;
    }

    /// <summary>A signature written by hand from CLR types.</summary>
    public BlobBuilder Signature(Type result, params ReadOnlySpan<Type> parameters)
    {
        var blob = new BlobBuilder();
        blob.WriteByte(0x00);
        blob.WriteCompressedInteger(parameters.Length);
        Write(blob, result);
        foreach (var parameter in parameters) Write(blob, parameter);
        return blob;
    }

    /// <summary>Adds the next method.</summary>
    public void AddMethod(
        string name, BlobBuilder signature, IlWriter il, IReadOnlyList<Type> locals, bool canBeInlined = true)
    {
        if (_methodCount % MethodsPerType == 0) AddHolder();
        AddMethod(name, FunctionAttributes, signature, il, locals, canBeInlined);
        _methodCount++;
    }

    void AddMethod(
        string name, MethodAttributes attributes, BlobBuilder signature, IlWriter il, IReadOnlyList<Type> locals,
        bool canBeInlined)
    {
        var code = il.Finish();
        // No InitLocals: the compiler zeroes what wasm wants zeroed, and nothing else needs it.
        var body = _bodies.AddMethodBody(code.Length, il.MaxStack, il.Regions.Count, hasSmallExceptionRegions: false,
            LocalSignature(locals), MethodBodyAttributes.None);
        new BlobWriter(body.Instructions).WriteBytes(code.ToArray());
        foreach (var (start, filter, handler, end) in il.Regions)
        {
            body.ExceptionRegions.AddFilter(start.Position, filter.Position - start.Position,
                handler.Position, end.Position - handler.Position, filter.Position);
        }
        _metadata.AddMethodDefinition(
            attributes,
            MethodImplAttributes.IL | (canBeInlined ? default : MethodImplAttributes.NoInlining),
            _metadata.GetOrAddString(name), _metadata.GetOrAddBlob(signature), body.Offset,
            MetadataTokens.ParameterHandle(1));
    }

    /// <summary>What a type of this assembly or of the framework is to a class below it.</summary>
    public EntityHandle TypeHandle(Type type) => Parent(type);

    /// <summary>A class of this image by its name alone: <see cref="AddClass"/> may come later.</summary>
    public EntityHandle OwnClass(string name) =>
        _metadata.AddTypeReference(EntityHandle.ModuleDefinition, default, _metadata.GetOrAddString(name));

    /// <summary>The token of a field of such a class.</summary>
    public int OwnField(EntityHandle owner, string name, Type type) => OwnMember(owner, name, FieldSignature(type));

    /// <summary>The token of the constructor of such a class.</summary>
    public int OwnConstructor(EntityHandle owner) =>
        OwnMember(owner, ConstructorName, ConstructorSignature(OwnConstructorParameters));

    /// <summary>Adds a class of objects; after the last method.</summary>
    public void AddClass(
        string name, EntityHandle parent, IEnumerable<(string Name, Type Type)> fields, IlWriter constructor)
    {
        _metadata.AddTypeDefinition(
            TypeAttributes.Public | TypeAttributes.Class | TypeAttributes.BeforeFieldInit, default,
            _metadata.GetOrAddString(name), parent,
            MetadataTokens.FieldDefinitionHandle(_metadata.GetRowCount(TableIndex.Field) + 1),
            MetadataTokens.MethodDefinitionHandle(_metadata.GetRowCount(TableIndex.MethodDef) + 1));
        foreach (var field in fields)
        {
            _metadata.AddFieldDefinition(FieldAttributes.Public, _metadata.GetOrAddString(field.Name),
                _metadata.GetOrAddBlob(FieldSignature(field.Type)));
        }
        var signature = ConstructorSignature(OwnConstructorParameters);
        AddMethod(ConstructorName, ConstructorAttributes, signature, constructor, [], canBeInlined: true);
    }

    /// <summary>The finished image.</summary>
    public byte[] Finish()
    {
        var builder = new ManagedPEBuilder(
            PEHeaderBuilder.CreateLibraryHeader(), new MetadataRootBuilder(_metadata), _il);
        var image = new BlobBuilder();
        builder.Serialize(image);
        return image.ToArray();
    }

    void AddHolder() => _metadata.AddTypeDefinition(
        TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed | TypeAttributes.BeforeFieldInit,
        default, _metadata.GetOrAddString($"F{_methodCount / MethodsPerType}"), _object,
        MetadataTokens.FieldDefinitionHandle(1), MetadataTokens.MethodDefinitionHandle(_methodCount + 1));

    StandaloneSignatureHandle LocalSignature(IReadOnlyList<Type> locals)
    {
        if (locals.Count == 0) return default;
        var blob = new BlobBuilder();
        blob.WriteByte(0x07);
        blob.WriteCompressedInteger(locals.Count);
        foreach (var local in locals) Write(blob, local);
        return _metadata.AddStandaloneSignature(_metadata.GetOrAddBlob(blob));
    }

    BlobBuilder FieldSignature(Type type)
    {
        var blob = new BlobBuilder();
        blob.WriteByte(0x06);
        Write(blob, type);
        return blob;
    }

    int OwnMember(EntityHandle owner, string name, BlobBuilder signature) => MetadataTokens.GetToken(
        _metadata.AddMemberReference(owner, _metadata.GetOrAddString(name), _metadata.GetOrAddBlob(signature)));

    int Add(MemberInfo member, BlobBuilder signature)
    {
        var handle = _metadata.AddMemberReference(
            Parent(member.DeclaringType!), _metadata.GetOrAddString(member.Name), _metadata.GetOrAddBlob(signature));
        return _members[member] = MetadataTokens.GetToken(handle);
    }

    // ECMA-335 II.23.2.15: a generic method with its type arguments.
    int AddInstance(MethodInfo method)
    {
        var definition = MetadataTokens.EntityHandle(Method(method.GetGenericMethodDefinition()));
        var arguments = method.GetGenericArguments();
        var blob = new BlobBuilder();
        blob.WriteByte(0x0A);
        blob.WriteCompressedInteger(arguments.Length);
        foreach (var argument in arguments) Write(blob, argument);
        var handle = _metadata.AddMethodSpecification(definition, _metadata.GetOrAddBlob(blob));
        return _members[method] = MetadataTokens.GetToken(handle);
    }

    // A member of a generic type is referred to with the signature that its definition has.
    static MethodInfo OpenForm(MethodInfo method) => method.DeclaringType is { IsConstructedGenericType: true } type
        ? (MethodInfo)type.GetGenericTypeDefinition().GetMemberWithSameMetadataDefinitionAs(method)
        : method;

    static FieldInfo OpenForm(FieldInfo field) => field.DeclaringType is { IsConstructedGenericType: true } type
        ? (FieldInfo)type.GetGenericTypeDefinition().GetMemberWithSameMetadataDefinitionAs(field)
        : field;

    BlobBuilder ConstructorSignature(IEnumerable<Type> parameters)
    {
        var types = parameters.ToArray();
        var blob = new BlobBuilder();
        blob.WriteByte(0x20);
        blob.WriteCompressedInteger(types.Length);
        blob.WriteByte(0x01);
        foreach (var type in types) Write(blob, type);
        return blob;
    }

    EntityHandle Parent(Type type)
    {
        if (!type.IsConstructedGenericType) return Type(type);
        if (_specifications.TryGetValue(type, out var handle)) return handle;
        var blob = new BlobBuilder();
        Write(blob, type);
        return _specifications[type] = _metadata.AddTypeSpecification(_metadata.GetOrAddBlob(blob));
    }

    TypeReferenceHandle Type(Type type)
    {
        if (_types.TryGetValue(type, out var handle)) return handle;
        handle = _metadata.AddTypeReference(
            Assembly(type.Assembly), _metadata.GetOrAddString(type.Namespace!), _metadata.GetOrAddString(type.Name));
        return _types[type] = handle;
    }

    AssemblyReferenceHandle Assembly(Assembly assembly)
    {
        if (_assemblies.TryGetValue(assembly, out var handle)) return handle;
        var name = assembly.GetName();
        var key = name.GetPublicKeyToken() is { Length: > 0 } token
            ? _metadata.GetOrAddBlob(ImmutableArray.Create(token))
            : default;
        handle = _metadata.AddAssemblyReference(
            _metadata.GetOrAddString(name.Name!), name.Version!, default, key, default, default);
        return _assemblies[assembly] = handle;
    }

    void Write(BlobBuilder blob, CilType type) => Write(blob, type == CilType.Void ? typeof(void) : type.ToClr());

    // ECMA-335 II.23.2: the element types of signatures.
    void Write(BlobBuilder blob, Type type)
    {
        if (Primitive(type) is var code and not 0)
        {
            blob.WriteByte(code);
            return;
        }
        if (type.IsByRef || type.IsPointer || type.IsSZArray)
        {
            blob.WriteByte((byte)(type.IsByRef ? 0x10 : type.IsPointer ? 0x0F : 0x1D));
            Write(blob, type.GetElementType()!);
            return;
        }
        if (type.IsGenericParameter)
        {
            blob.WriteByte((byte)(type.IsGenericMethodParameter ? 0x1E : 0x13));
            blob.WriteCompressedInteger(type.GenericParameterPosition);
            return;
        }
        if (type.IsGenericType)
        {
            WriteGeneric(blob, type);
            return;
        }
        blob.WriteByte((byte)(type.IsValueType ? 0x11 : 0x12));
        blob.WriteCompressedInteger(CodedIndex.TypeDefOrRefOrSpec(Type(type)));
    }

    void WriteGeneric(BlobBuilder blob, Type type)
    {
        blob.WriteByte(0x15);
        blob.WriteByte((byte)(type.IsValueType ? 0x11 : 0x12));
        blob.WriteCompressedInteger(CodedIndex.TypeDefOrRefOrSpec(Type(type.GetGenericTypeDefinition())));
        var arguments = type.GetGenericArguments(); // of a definition: its parameters
        blob.WriteCompressedInteger(arguments.Length);
        foreach (var argument in arguments) Write(blob, argument);
    }

    static byte Primitive(Type type)
    {
        if (type == typeof(void)) return 0x01;
        if (type == typeof(bool)) return 0x02;
        if (type == typeof(sbyte)) return 0x04;
        if (type == typeof(byte)) return 0x05;
        if (type == typeof(short)) return 0x06;
        if (type == typeof(ushort)) return 0x07;
        if (type == typeof(int)) return 0x08;
        if (type == typeof(uint)) return 0x09;
        if (type == typeof(long)) return 0x0A;
        if (type == typeof(ulong)) return 0x0B;
        if (type == typeof(float)) return 0x0C;
        if (type == typeof(double)) return 0x0D;
        if (type == typeof(nint)) return 0x18;
        if (type == typeof(nuint)) return 0x19;
        return type == typeof(object) ? (byte)0x1C : (byte)0;
    }
}
