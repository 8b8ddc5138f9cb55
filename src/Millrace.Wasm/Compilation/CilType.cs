using System.Reflection.Metadata;
using System.Runtime.Intrinsics;

namespace Millrace.Wasm.Compilation;

/// <summary>What a wasm type is on the CIL stack.</summary>
enum CilType : byte
{
    Void,
    I32,
    I64,
    F32,
    F64,
    /// <summary>A <see cref="Vector128{T}"/> of bytes; other lanes are reinterpretations of it.</summary>
    V128,
    /// <summary>Any reference: a <see cref="Function"/>, or a host object.</summary>
    Object,
}

static class CilTypes
{
    /// <summary>Number of <see cref="CilType"/>s.</summary>
    public const int Count = 7;

    public static CilType Of(ValueType type) => type.Kind switch
    {
        ValueKind.I32 => CilType.I32,
        ValueKind.I64 => CilType.I64,
        ValueKind.F32 => CilType.F32,
        ValueKind.F64 => CilType.F64,
        ValueKind.V128 => CilType.V128,
        ValueKind.Ref => CilType.Object,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    /// <summary>The type that a function returns in CIL: the first result, or nothing.</summary>
    public static CilType Returned(FunctionType type) => type.Results.IsEmpty ? CilType.Void : Of(type.Results[0]);

    public static Type ToClr(this CilType type) => type switch
    {
        CilType.I32 => typeof(int),
        CilType.I64 => typeof(long),
        CilType.F32 => typeof(float),
        CilType.F64 => typeof(double),
        CilType.V128 => typeof(Vector128<byte>),
        CilType.Object => typeof(object),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    /// <summary>Writes a load through the address on the stack.</summary>
    public static void LoadIndirect(this CilType type, IlWriter il, ImageBuilder image)
    {
        if (type == CilType.V128) il.LoadObject(image.TypeToken(typeof(Vector128<byte>)));
        else il.Op(LoadCode(type));
    }

    /// <summary>Writes a store through the address on the stack, below the value.</summary>
    public static void StoreIndirect(this CilType type, IlWriter il, ImageBuilder image)
    {
        if (type == CilType.V128) il.StoreObject(image.TypeToken(typeof(Vector128<byte>)));
        else il.Op(StoreCode(type));
    }

    static ILOpCode LoadCode(CilType type) => type switch
    {
        CilType.I32 => ILOpCode.Ldind_i4,
        CilType.I64 => ILOpCode.Ldind_i8,
        CilType.F32 => ILOpCode.Ldind_r4,
        CilType.F64 => ILOpCode.Ldind_r8,
        CilType.Object => ILOpCode.Ldind_ref,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    static ILOpCode StoreCode(CilType type) => type switch
    {
        CilType.I32 => ILOpCode.Stind_i4,
        CilType.I64 => ILOpCode.Stind_i8,
        CilType.F32 => ILOpCode.Stind_r4,
        CilType.F64 => ILOpCode.Stind_r8,
        CilType.Object => ILOpCode.Stind_ref,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };
}
