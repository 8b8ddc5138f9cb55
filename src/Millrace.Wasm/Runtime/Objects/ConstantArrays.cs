using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Runtime.Objects;

/// <summary>Makes arrays of values, for constant expressions.</summary>
static class ConstantArrays
{
    /// <summary>As many elements as asked for, all of them that value.</summary>
    public static object Filled(GuestType type, FieldType element, Value value, int length) =>
        Make(type, element, [value], length);

    /// <summary>An element for each value.</summary>
    public static object Of(GuestType type, FieldType element, ReadOnlySpan<Value> values) =>
        Make(type, element, values, values.Length);

    static object Make(GuestType type, FieldType element, ReadOnlySpan<Value> values, int length) =>
        element.Packing switch
        {
            Packing.I8 => Make(type, values, length, static value => (byte)value.AsI32),
            Packing.I16 => Make(type, values, length, static value => (ushort)value.AsI32),
            _ => element.Type.Kind switch
            {
                ValueKind.I32 => Make(type, values, length, static value => value.AsI32),
                ValueKind.I64 => Make(type, values, length, static value => value.AsI64),
                ValueKind.F32 => Make(type, values, length, static value => value.AsF32),
                ValueKind.F64 => Make(type, values, length, static value => value.AsF64),
                ValueKind.V128 => Make(type, values, length, static value => value.AsV128),
                _ => Make(type, values, length, static value => new ReferenceSlot { Value = value.AsReference }),
            },
        };

    static GuestArray<T> Make<T>(GuestType type, ReadOnlySpan<Value> values, int length, Func<Value, T> stored)
        where T : struct
    {
        var made = GuestArrays.Allocate<T>(type, length);
        if (values.Length == 1) made.Items.AsSpan().Fill(stored(values[0]));
        else for (var i = 0; i < values.Length; i++) made.Items[i] = stored(values[i]);
        return made;
    }
}
