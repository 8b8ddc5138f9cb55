using System.Runtime.Intrinsics;

namespace Millrace.Wasm.Scripts;

/// <summary>The host object that stands behind <c>ref.extern n</c> and <c>ref.host n</c>.</summary>
sealed record HostReference(uint Number);

/// <summary>An argument.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Bits">A number's or vector's bits.</param>
/// <param name="Reference">A reference; null for null.</param>
readonly record struct ScriptValue(ValueType Type, Vector128<byte> Bits, HostReference? Reference)
{
    public Value ToValue() => Type.Kind switch
    {
        ValueKind.I32 or ValueKind.F32 => Value.From(Bits.AsInt32().GetElement(0)),
        ValueKind.I64 or ValueKind.F64 => Value.From(Bits.AsInt64().GetElement(0)),
        ValueKind.V128 => Value.From(Bits),
        _ => Value.FromReference(Reference),
    };
}
