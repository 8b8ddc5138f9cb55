using System.Globalization;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace Millrace.Wasm.Verification;

/// <summary>What the tokens of an image stand for; each is looked up once.</summary>
sealed class MemberTable(ImageTables tables, Contract contract)
{
    const string Items = "~Runtime.Objects.GuestArray`1<";

    readonly Dictionary<int, Member> _members = [];
    readonly Dictionary<int, SlotType> _types = [];

    MetadataReader Metadata => tables.Metadata;

    /// <summary>The member that a token names.</summary>
    public Member this[int token]
    {
        get
        {
            if (!_members.TryGetValue(token, out var member)) _members[token] = member = Find(token);
            return member;
        }
    }

    /// <summary>The type that a token names.</summary>
    public SlotType TypeOf(int token)
    {
        if (!_types.TryGetValue(token, out var type))
        {
            var name = tables.NameOf(MetadataTokens.EntityHandle(token));
            _types[token] = type = StoredTypeOf(name);
        }
        return type;
    }

    // As an element: how it is stored. Tokens name the plain types by their full names.
    static SlotType StoredTypeOf(string name) => SlotType.StoredAs(name switch
    {
        "System.Byte" => "byte",
        "System.UInt16" => "ushort",
        "System.Int32" => "int",
        "System.Int64" => "long",
        "System.Single" => "float",
        "System.Double" => "double",
        _ => name,
    }) is { } stored
        ? new(SlotKind.Array, (int)stored)
        : throw new Refusal($"the type {name} has no place in code");

    Member Find(int token)
    {
        if (token < 0) throw new Refusal("a token of no table");
        var handle = MetadataTokens.EntityHandle(token);
        return handle.Kind switch
        {
            HandleKind.MemberReference => Find(Metadata.GetMemberReference((MemberReferenceHandle)handle), null),
            HandleKind.MethodSpecification => Find(Metadata.GetMethodSpecification((MethodSpecificationHandle)handle)),
            _ => throw new Refusal($"a {handle.Kind} is named where a member must be"),
        };
    }

    Member Find(MethodSpecification instance)
    {
        var arguments = instance.DecodeSignature(tables.Types, null);
        if (instance.Method.Kind != HandleKind.MemberReference || arguments.Length != 1)
            throw new Refusal("a generic method of another form");
        return Find(Metadata.GetMemberReference((MemberReferenceHandle)instance.Method), arguments[0]);
    }

    Member Find(MemberReference member, string? argument)
    {
        var owner = tables.NameOf(member.Parent);
        var name = $"{owner}::{tables.Text(member.Name)}";
        if (member.GetKind() == MemberReferenceKind.Field)
            return FindField(owner, name, tables.Text(member.Name), member.DecodeFieldSignature(tables.Types, null));
        var signature = member.DecodeMethodSignature(tables.Types, null);
        if (signature.GenericParameterCount != (argument is null ? 0 : 1))
            throw new Refusal($"{name} has other type parameters");
        var (parameters, result) = (signature.ParameterTypes.ToArray(), signature.ReturnType);
        if (signature.Header.IsInstance) return FindConstructor(name, owner, parameters, result);
        if (argument is not null)
        {
            for (var i = 0; i < parameters.Length; i++) parameters[i] = Closed(parameters[i], "!!0", argument);
            result = Closed(result, "!!0", argument);
        }
        return FindMethod(owner, name, parameters, result, argument);
    }

    static string Closed(string type, string parameter, string argument) =>
        type.Replace(parameter, argument, StringComparison.Ordinal);

    Member FindField(string owner, string name, string field, string type)
    {
        if (owner.StartsWith('@')) return FindFieldOfStruct(owner, name, field, type);
        if (MemberRules.Fields.TryGetValue(name, out var row) && row.Type == type)
            return new Member(row.Role, name, SlotType.Named(type), []);
        if (MemberRules.HiddenNumbers.Contains(owner) && SlotType.Named(type).IsNumber)
            return new Member(MemberRole.HiddenNumber, name, SlotType.Named(type), []);
        if (owner.StartsWith(Items, StringComparison.Ordinal) && field == "Items" && type == "!0[]"
            && SlotType.StoredAs(owner[Items.Length..^1]) is { } stored)
        {
            return new Member(MemberRole.Items, name, new SlotType(SlotKind.Array, (int)stored), []);
        }
        throw new Refusal($"the field {name} of type {type} is none that guest code may touch");
    }

    Member FindFieldOfStruct(string owner, string name, string field, string type)
    {
        var typeIndex = contract.ClassOf(owner[1..]);
        var fields = contract.Definition.Types[typeIndex].Fields;
        if (!int.TryParse(field.AsSpan(1), CultureInfo.InvariantCulture, out var number)
            || field != ClassRules.FieldName(number) || (uint)number >= (uint)fields.Length
            || ClassRules.TypeName(fields[number]) != type)
        {
            throw new Refusal($"there is no field {name} of type {type}");
        }
        return new Member(MemberRole.FieldOfStruct, name, SlotType.From(fields[number].Type), [], typeIndex, number);
    }

    Member FindConstructor(string name, string owner, string[] parameters, string result)
    {
        if (!owner.StartsWith('@') || !name.EndsWith("::.ctor", StringComparison.Ordinal)
            || parameters is not ["~Instance", "int"] || result != "void")
        {
            throw new Refusal($"the method {name} is none that guest code may call");
        }
        return new Member(MemberRole.NewStruct, name, SlotType.Object, [], contract.ClassOf(owner[1..]));
    }

    static Member FindMethod(string owner, string name, string[] parameters, string result, string? argument)
    {
        SlotType[] types = [.. parameters.Select(SlotType.Named)];
        if (IsPure(owner) && SlotType.Named(result).IsNumber && types.All(type => type.IsNumber))
            return new Member(MemberRole.Pure, name, SlotType.Named(result), types);
        if (owner.StartsWith("v<", StringComparison.Ordinal))
            return FindVectorOperator(owner, name, parameters, result);
        if (MemberRules.Methods.TryGetValue(name, out var row))
        {
            var signature = $"{string.Join(',', parameters)}:{result}";
            var wanted = argument is null ? row.Signature : row.Signature.Replace("T", argument, StringComparison.Ordinal);
            var isGeneric = row.Role is MemberRole.ArrayNew or MemberRole.ArrayNewDefault or MemberRole.ArrayNewFromData
                or MemberRole.ArrayFill;
            var stored = argument is null ? default : SlotType.StoredAs(argument);
            if (signature == wanted && isGeneric == (stored is not null))
                return new Member(row.Role, name, SlotType.Named(result), types, (int)(stored ?? default), row.Detail);
        }
        throw new Refusal($"the method {name}({string.Join(", ", parameters)}) is none that guest code may call");
    }

    static bool IsPure(string owner) => MemberRules.PureTypes.Contains(owner);

    static Member FindVectorOperator(string owner, string name, string[] parameters, string result)
    {
        SlotType[] types = [.. parameters.Select(one => SlotType.Named(Closed(one, "!0", owner[2..^1])))];
        var given = SlotType.Named(Closed(result, "!0", owner[2..^1]));
        if (!given.IsNumber || !types.All(type => type.IsNumber))
            throw new Refusal($"the method {name} is none that guest code may call");
        return new Member(MemberRole.Pure, name, given, types);
    }
}
