using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Millrace.Wasm.Verification;

/// <summary>
/// Proves of a finished image, before any of it is loaded, that its code stays in the sandbox whatever its guest does:
/// see docs/design/engine.md. Knows the image's bytes and the module, and nothing of how the compiler works.
/// </summary>
sealed class ImageVerifier
{
    const MethodAttributes FunctionAttributes =
        MethodAttributes.Public | MethodAttributes.Static | MethodAttributes.HideBySig;
    const MethodAttributes ConstructorAttributes = MethodAttributes.Public | MethodAttributes.HideBySig
        | MethodAttributes.SpecialName | MethodAttributes.RTSpecialName;
    const MethodImplAttributes AllowedImplementation = MethodImplAttributes.NoInlining;

    readonly PEReader _image;
    readonly MetadataReader _metadata;
    readonly Contract _contract;
    readonly ImageTables _tables;
    readonly MemberTable _members;
    readonly MethodVerifier _verifier;

    ImageVerifier(PEReader image, Contract contract)
    {
        (_image, _contract) = (image, contract);
        _metadata = image.GetMetadataReader();
        _tables = new ImageTables(_metadata, contract.ClassNames);
        _members = new MemberTable(_tables, contract);
        _verifier = new MethodVerifier(contract, _tables, _members);
    }

    /// <summary>Proves a module's image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="contract">What it is held to.</param>
    /// <param name="crossings">Function types whose crossings stand behind the functions.</param>
    /// <exception cref="RefusedCodeException">Something in it could not be proven.</exception>
    public static void Verify(byte[] image, Contract contract, params ReadOnlySpan<int> crossings)
    {
        var definition = contract.Definition;
        var shapes = definition.Functions.Skip(definition.ImportedFunctionCount).Select(function => new MethodShape(
            MethodKind.Function, $"function {function.Index}", function.Type, function.Locals)).ToList();
        foreach (var type in crossings) shapes.AddRange(Crossings(definition.Types[type].Function!));
        Verify(image, contract, [.. shapes]);
    }

    /// <summary>Proves an image with the two crossings of each of these types.</summary>
    /// <exception cref="RefusedCodeException">Something in it could not be proven.</exception>
    public static void VerifyCrossings(byte[] image, IEnumerable<FunctionType> types)
    {
        var contract = new Contract(new Binary.ModuleDefinition { Bytes = default }, null, []);
        Verify(image, contract, [.. types.SelectMany(Crossings)]);
    }

    static MethodShape[] Crossings(FunctionType type) =>
    [
        new(MethodKind.HostEntry, $"the way out for {type}", type, []),
        new(MethodKind.GuestEntry, $"the way in for {type}", type, []),
    ];

    static void Verify(byte[] image, Contract contract, ImmutableArray<MethodShape> shapes)
    {
        var place = "the image";
        ImageVerifier? verifier = null;
        try
        {
            using var reader = new PEReader(System.Runtime.InteropServices.ImmutableCollectionsMarshal.AsImmutableArray(image));
            verifier = new ImageVerifier(reader, contract);
            verifier.VerifyTypes(shapes.Length);
            for (var i = 0; i < shapes.Length; i++)
            {
                place = shapes[i].Name;
                verifier.VerifyMethod(MetadataTokens.MethodDefinitionHandle(i + 1), shapes[i]);
            }
        }
        catch (Refusal refusal)
        {
            throw new RefusedCodeException(place, verifier?._verifier.Offset ?? -1, refusal.Message);
        }
        catch (Exception broken) when (broken is not WasmException)
        {
            // Whatever the metadata reader and we ourselves make of an image that is none: it is not loaded.
            throw new RefusedCodeException(place, verifier?._verifier.Offset ?? -1, $"the image is broken: {broken.Message}");
        }
    }

    // Holders of functions first, 256 each, then the classes of objects.
    void VerifyTypes(int functionCount)
    {
        CheckAssembly();
        var (methods, fields) = (0, 0);
        foreach (var handle in _metadata.TypeDefinitions)
        {
            var type = _metadata.GetTypeDefinition(handle);
            var name = _metadata.GetString(type.Name);
            var owned = type.GetMethods();
            foreach (var method in owned)
                if (MetadataTokens.GetRowNumber(method) != ++methods) throw new Refusal("methods out of their order");
            foreach (var field in type.GetFields())
                if (MetadataTokens.GetRowNumber(field) != ++fields) throw new Refusal("fields out of their order");
            if (!type.Namespace.IsNil || !type.GetDeclaringType().IsNil) throw new Refusal($"the type {name} in another");
            if (MetadataTokens.GetRowNumber(handle) == 1)
            {
                if (name != "<Module>" || owned.Count != 0 || type.GetFields().Count != 0)
                    throw new Refusal("code that belongs to no type");
            }
            else if (methods <= functionCount && owned.Count > 0 && type.GetFields().Count == 0 && name[0] == 'F')
            {
                CheckHolder(type, name);
            }
            else
            {
                CheckClass(type, name);
            }
        }
        if (methods < functionCount) throw new Refusal("a function is missing");
    }

    void CheckAssembly()
    {
        var name = _metadata.GetString(_metadata.GetAssemblyDefinition().Name);
        if (name != "Millrace.Guest") throw new Refusal($"the image is named {name}");
        if (_image.PEHeaders.CorHeader is not { Flags: CorFlags.ILOnly } header
            || header.EntryPointTokenOrRelativeVirtualAddress != 0 || header.VtableFixupsDirectory.Size != 0)
        {
            throw new Refusal("an image with more than CIL");
        }
    }

    void CheckHolder(System.Reflection.Metadata.TypeDefinition type, string name)
    {
        var wanted = TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed
            | TypeAttributes.BeforeFieldInit;
        if (type.Attributes != wanted || _tables.NameOf(type.BaseType) != "System.Object")
            throw new Refusal($"the type {name} of another form");
    }

    void CheckClass(System.Reflection.Metadata.TypeDefinition type, string name)
    {
        if (!_contract.ClassNames.Contains(name)) throw new Refusal($"the type {name} has no place in the image");
        var definition = _contract.Definition.Types[_contract.ClassOf(name)];
        var super = definition.Supertypes is [var index, ..] ? _contract.Definition.Types[index] : null;
        var parent = super is null ? "~Runtime.Objects.GuestStruct" : _contract.ClassNameOf(super.Index);
        var wanted = TypeAttributes.Public | TypeAttributes.Class | TypeAttributes.BeforeFieldInit;
        if (type.Attributes != wanted || _tables.NameOf(type.BaseType) != parent || type.GetMethods().Count != 1)
            throw new Refusal($"the class {name} of another form");
        var number = super?.Fields.Length ?? 0;
        foreach (var handle in type.GetFields())
        {
            var field = _metadata.GetFieldDefinition(handle);
            if (number >= definition.Fields.Length || field.Attributes != FieldAttributes.Public
                || _metadata.GetString(field.Name) != ClassRules.FieldName(number)
                || field.DecodeSignature(_tables.Types, null) != ClassRules.TypeName(definition.Fields[number]))
            {
                throw new Refusal($"a field of the class {name} of another form");
            }
            number++;
        }
        if (number != definition.Fields.Length) throw new Refusal($"a field of the class {name} is missing");
        CheckConstructor(type.GetMethods().First(), name);
    }

    // ldarg.0 ldarg.1 ldarg.2 ldc bytes, call GuestStruct's, ret.
    void CheckConstructor(MethodDefinitionHandle handle, string name)
    {
        var method = _metadata.GetMethodDefinition(handle);
        var signature = method.DecodeSignature(_tables.Types, null);
        var code = _image.GetMethodBody(method.RelativeVirtualAddress).GetILReader();
        var isFine = _metadata.GetString(method.Name) == ".ctor" && method.Attributes == ConstructorAttributes
            && method.ImplAttributes == MethodImplAttributes.IL && signature.Header.IsInstance
            && signature.ParameterTypes is ["~Instance", "int"] && signature.ReturnType == "void";
        ILOpCode[] start = [ILOpCode.Ldarg_0, ILOpCode.Ldarg_1, ILOpCode.Ldarg_2];
        foreach (var op in start) isFine = isFine && code.RemainingBytes > 8 && (ILOpCode)code.ReadByte() == op;
        if (isFine)
        {
            var constant = (ILOpCode)code.ReadByte();
            if (constant == ILOpCode.Ldc_i4_s) code.ReadByte();
            else if (constant == ILOpCode.Ldc_i4) code.ReadInt32();
            else isFine = constant is >= ILOpCode.Ldc_i4_0 and <= ILOpCode.Ldc_i4_8;
        }
        isFine = isFine && code.RemainingBytes == 6 && (ILOpCode)code.ReadByte() == ILOpCode.Call
            && IsRootConstructor(code.ReadInt32()) && (ILOpCode)code.ReadByte() == ILOpCode.Ret;
        if (!isFine) throw new Refusal($"the constructor of {name} of another form");
    }

    bool IsRootConstructor(int token)
    {
        var handle = MetadataTokens.EntityHandle(token);
        if (handle.Kind != HandleKind.MemberReference) return false;
        var member = _metadata.GetMemberReference((MemberReferenceHandle)handle);
        return _metadata.GetString(member.Name) == ".ctor"
            && _tables.NameOf(member.Parent) == "~Runtime.Objects.GuestStruct"
            && member.DecodeMethodSignature(_tables.Types, null).ParameterTypes is ["~Instance", "int", "int"];
    }

    void VerifyMethod(MethodDefinitionHandle handle, MethodShape shape)
    {
        var method = _metadata.GetMethodDefinition(handle);
        var signature = method.DecodeSignature(_tables.Types, null);
        var isFine = method.Attributes == FunctionAttributes && method.ImplAttributes is MethodImplAttributes.IL
                or AllowedImplementation
            && !signature.Header.IsInstance && signature.GenericParameterCount == 0
            && signature.Header.CallingConvention == SignatureCallingConvention.Default
            && SlotType.Named(signature.ReturnType) == shape.Returned
            && signature.ParameterTypes.Select(SlotType.Named).SequenceEqual(shape.Arguments());
        if (!isFine) throw new Refusal("a method of another form");
        var body = _image.GetMethodBody(method.RelativeVirtualAddress);
        if (body.LocalVariablesInitialized) throw new Refusal("a method of another form");
        var reader = body.GetILReader();
        var code = reader.ReadBytes(reader.Length);
        _verifier.Verify(shape, code, LocalsOf(body), body);
    }

    SlotType[] LocalsOf(MethodBodyBlock body)
    {
        if (body.LocalSignature.IsNil) return [];
        var names = _metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(_tables.Types, null);
        var locals = new SlotType[names.Length];
        for (var i = 0; i < locals.Length; i++)
        {
            locals[i] = SlotType.Named(names[i]);
            if (locals[i].Kind is SlotKind.Other or SlotKind.Void or SlotKind.Native or SlotKind.Reference
                or SlotKind.Context or SlotKind.Function or SlotKind.Slot or SlotKind.ValueReference)
            {
                throw new Refusal($"a local of the type {names[i]}");
            }
        }
        return locals;
    }
}
