using System.Globalization;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Verification;

/// <summary>How the classes of objects must look.</summary>
static class ClassRules
{
    public static string FieldName(int field) => string.Create(CultureInfo.InvariantCulture, $"f{field}");

    public static string Name(int id) => string.Create(CultureInfo.InvariantCulture, $"S{id}");

    /// <summary>The name of the type that a field has in CIL.</summary>
    public static string TypeName(FieldType field) => field.Packing switch
    {
        Packing.I8 => "byte",
        Packing.I16 => "ushort",
        _ => field.Type.Kind switch
        {
            ValueKind.I32 => "int",
            ValueKind.I64 => "long",
            ValueKind.F32 => "float",
            ValueKind.F64 => "double",
            ValueKind.V128 => "v<byte>",
            _ => "object",
        },
    };

    /// <summary>How an element is stored.</summary>
    public static Stored StoredAs(FieldType element) => element.Packing switch
    {
        Packing.I8 => Stored.Byte,
        Packing.I16 => Stored.UInt16,
        _ => element.Type.Kind switch
        {
            ValueKind.I32 => Stored.Int32,
            ValueKind.I64 => Stored.Int64,
            ValueKind.F32 => Stored.Single,
            ValueKind.F64 => Stored.Double,
            ValueKind.V128 => Stored.Vector,
            _ => Stored.Reference,
        },
    };
}
