using System.Reflection;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Compilation;

namespace Millrace.Wasm.Runtime.Objects;

/// <summary>Makes structs by reflection, for constant expressions: each runs once, so code of its own would cost more
/// than it saves.</summary>
sealed class StructFactory(Type made, TypeDefinition type, int slot)
{
    readonly ConstructorInfo _constructor = made.GetConstructors()[0];
    readonly FieldInfo[] _fields =
        [.. type.Fields.Select((_, field) => made.GetField(StructClasses.NameOfField(field))!)];

    public int FieldCount => _fields.Length;

    /// <summary>A struct with these fields, or with none set.</summary>
    public object Make(Instance instance, ReadOnlySpan<Value> values)
    {
        var one = _constructor.Invoke(BindingFlags.DoNotWrapExceptions, null, [instance, slot], null);
        for (var i = 0; i < values.Length; i++) _fields[i].SetValue(one, Stored(values[i], type.Fields[i]));
        return one;
    }

    static object? Stored(Value value, FieldType field) => field.Packing switch
    {
        Packing.I8 => (byte)value.AsI32,
        Packing.I16 => (ushort)value.AsI32,
        _ => field.Type.Kind switch
        {
            ValueKind.I32 => value.AsI32,
            ValueKind.I64 => value.AsI64,
            ValueKind.F32 => value.AsF32,
            ValueKind.F64 => value.AsF64,
            ValueKind.V128 => value.AsV128,
            _ => value.AsReference,
        },
    };
}
