using System.Globalization;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Millrace.Wasm.Tests.Compilation;

/// <summary>The methods of an image as readable text: one line per instruction, members by name.</summary>
static class IlText
{
    static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value & 0xFFFF);

    public static IEnumerable<string> Of(byte[] image)
    {
        using var file = new PEReader(new MemoryStream(image));
        var metadata = file.GetMetadataReader();
        foreach (var handle in metadata.MethodDefinitions)
        {
            var method = metadata.GetMethodDefinition(handle);
            var body = file.GetMethodBody(method.RelativeVirtualAddress);
            yield return $"{metadata.GetString(method.Name)}: maxstack {body.MaxStack}";
            foreach (var line in Instructions(metadata, body.GetILBytes()!)) yield return "  " + line;
            foreach (var region in body.ExceptionRegions)
            {
                yield return $"  try {region.TryOffset:x3}-{region.TryOffset + region.TryLength:x3} "
                    + $"filter {region.FilterOffset:x3} "
                    + $"handler {region.HandlerOffset:x3}-{region.HandlerOffset + region.HandlerLength:x3}";
            }
        }
    }

    static IEnumerable<string> Instructions(MetadataReader metadata, byte[] code)
    {
        for (var at = 0; at < code.Length;)
        {
            var start = at;
            var value = code[at++];
            var op = OpCodesByValue[value == 0xFE ? 0xFE00 | code[at++] : value];
            var operand = Operand(metadata, op, code, ref at);
            yield return $"{start:x3} {op.Name}{(operand.Length == 0 ? "" : " ")}{operand}";
        }
    }

    static string Operand(MetadataReader metadata, OpCode op, byte[] code, ref int at)
    {
        var from = at;
        switch (op.OperandType)
        {
            case OperandType.InlineNone: return "";
            case OperandType.ShortInlineVar or OperandType.ShortInlineI:
                at++;
                return Text((sbyte)code[from]);
            case OperandType.InlineVar:
                at += 2;
                return Text(BitConverter.ToUInt16(code, from));
            case OperandType.InlineI:
                at += 4;
                return Text(BitConverter.ToInt32(code, from));
            case OperandType.InlineI8 or OperandType.InlineR:
                at += 8;
                return op.OperandType == OperandType.InlineI8
                    ? Text(BitConverter.ToInt64(code, from))
                    : Text(BitConverter.ToDouble(code, from));
            case OperandType.ShortInlineR:
                at += 4;
                return Text(BitConverter.ToSingle(code, from));
            case OperandType.InlineBrTarget:
                at += 4;
                return $"{at + BitConverter.ToInt32(code, from):x3}";
            case OperandType.InlineSwitch: return Switch(code, ref at);
            default:
                at += 4;
                return Member(metadata, BitConverter.ToInt32(code, from));
        }
    }

    static string Switch(byte[] code, ref int at)
    {
        var count = BitConverter.ToInt32(code, at);
        var first = at + 4;
        var behind = at = first + 4 * count;
        return string.Join(' ', Enumerable.Range(0, count)
            .Select(i => $"{behind + BitConverter.ToInt32(code, first + 4 * i):x3}"));
    }

    static string Member(MetadataReader metadata, int token)
    {
        var handle = MetadataTokens.EntityHandle(token);
        if (handle.Kind == HandleKind.MethodDefinition)
            return metadata.GetString(metadata.GetMethodDefinition((MethodDefinitionHandle)handle).Name);
        switch (handle.Kind)
        {
            case HandleKind.MethodSpecification:
                var instance = metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                var arguments = instance.DecodeSignature(new TypeText(), genericContext: null);
                return Member(metadata, MetadataTokens.GetToken(instance.Method)) + $"<{string.Join(", ", arguments)}>";
            case HandleKind.MemberReference:
                var member = metadata.GetMemberReference((MemberReferenceHandle)handle);
                return $"{TypeOf(metadata, member.Parent)}.{metadata.GetString(member.Name)}";
            case HandleKind.TypeSpecification: return TypeOf(metadata, handle);
            default: return "(signature)";
        }
    }

    static string TypeOf(MetadataReader metadata, EntityHandle handle) => handle.Kind == HandleKind.TypeSpecification
        ? metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(new TypeText(), null)
        : metadata.GetString(metadata.GetTypeReference((TypeReferenceHandle)handle).Name);

    static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
