using System.Reflection.Metadata;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime.Objects;

namespace Millrace.Wasm.Compilation;

/// <summary>How fields of structs and elements of arrays are stored.</summary>
static class Storage
{
    /// <summary>The .NET type of a struct's field.</summary>
    public static Type OfField(FieldType field) => field.Packing switch
    {
        Packing.I8 => typeof(byte),
        Packing.I16 => typeof(ushort),
        _ => CilTypes.Of(field.Type).ToClr(),
    };

    /// <summary>The .NET type of an array's elements.</summary>
    public static Type OfElement(FieldType element) =>
        element.Type.Kind == ValueKind.Ref ? typeof(ReferenceSlot) : OfField(element);

    /// <summary>Bytes that a field takes.</summary>
    public static int Bytes(FieldType field) => field.Packing switch
    {
        Packing.I8 => 1,
        Packing.I16 => 2,
        _ => field.Type.Kind switch
        {
            ValueKind.I32 or ValueKind.F32 => 4,
            ValueKind.V128 => 16,
            _ => 8,
        },
    };

    /// <summary>What brings a packed value, which is stored without sign, to <c>i32</c>.</summary>
    public static ILOpCode Extension(Opcode opcode, Packing packing) => opcode switch
    {
        Opcode.StructGetS or Opcode.ArrayGetS => packing == Packing.I8 ? ILOpCode.Conv_i1 : ILOpCode.Conv_i2,
        _ => ILOpCode.Nop,
    };
}
