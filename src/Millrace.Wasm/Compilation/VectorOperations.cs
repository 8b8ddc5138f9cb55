using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Intrinsics;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Vector instructions that are one call: of <see cref="Vector128"/> where the JIT makes an instruction or two of it,
/// else of <see cref="GuestVectors"/>. Found by name when first used, for most modules use few of them.
/// </summary>
static class VectorOperations
{
    const BindingFlags Static = BindingFlags.Static | BindingFlags.Public;

    static readonly ConcurrentDictionary<Opcode, Operation> Known = [];

    public static readonly Operation Not = Of(Opcode.V128Not);
    public static readonly Operation And = Of(Opcode.V128And);
    public static readonly Operation Or = Of(Opcode.V128Or);
    public static readonly Operation Xor = Of(Opcode.V128Xor);

    /// <summary>Bits of the second operand where the first has ones, else of the third.</summary>
    public static readonly Operation Select = Call(CilType.V128, Generic("ConditionalSelect", typeof(byte)));

    /// <summary>Whether two vectors differ.</summary>
    public static readonly Operation Differ = Call(CilType.I32, Operator("op_Inequality", typeof(byte)));

    /// <summary>A vector of two 64-bit halves, the lower one first.</summary>
    public static readonly VectorCall FromHalves = new(Of("Create", typeof(long), typeof(long)));

    static readonly Operation[] EqualsAny =
    [
        Call(CilType.I32, Generic("EqualsAny", typeof(byte))), Call(CilType.I32, Generic("EqualsAny", typeof(short))),
        Call(CilType.I32, Generic("EqualsAny", typeof(int))), Call(CilType.I32, Generic("EqualsAny", typeof(long))),
    ];

    static readonly Dictionary<Opcode, Operation> Choices = new Opcode[]
        {
            Opcode.F32x4Pmin, Opcode.F32x4Pmax, Opcode.F64x2Pmin, Opcode.F64x2Pmax,
        }
        .Where(opcode => X86Vectors.FindChoice(opcode) is not null)
        .ToDictionary(opcode => opcode, opcode => Call(CilType.V128, X86Vectors.FindChoice(opcode)!));

    public static Operation Of(Opcode opcode) => Known.GetOrAdd(opcode, Find);

    /// <summary>The x86 instruction of pmin or pmax, which takes the second operand first; null without it.</summary>
    public static Operation? Choice(Opcode opcode) => Choices.GetValueOrDefault(opcode);

    /// <summary>Whether any lane is equal: by log2 of a lane's bytes.</summary>
    public static Operation AnyEqual(int laneLog2) => EqualsAny[laneLog2];

    /// <summary>A method of <see cref="Vector128"/> with one type parameter.</summary>
    public static MethodInfo Generic(string name, Type lane) =>
        typeof(Vector128).GetMember(name, MemberTypes.Method, Static).Cast<MethodInfo>().Single(method =>
            method.IsGenericMethodDefinition && method.GetGenericArguments().Length == 1).MakeGenericMethod(lane);

    /// <summary>A method of <see cref="Vector128"/> by its parameters.</summary>
    public static MethodInfo Of(string name, params Type[] parameters) =>
        typeof(Vector128).GetMethod(name, parameters) ?? throw new MissingMethodException(nameof(Vector128), name);

    public static Type VectorOf(Type lane) => typeof(Vector128<>).MakeGenericType(lane);

    static Operation Find(Opcode opcode)
    {
        var row = Instructions.Of(opcode);
        var name = opcode.ToString();
        var method = X86Vectors.Find(opcode) ?? typeof(GuestVectors).GetMethod(name, Static) ?? FindPlain(name);
        return new(CilTypes.Of(row.Results[0]), [])
        {
            Vector = new VectorCall(method, hasLane: row.Immediate == ImmediateKind.Lane),
        };
    }

    // A name is a shape and what is done to it, with a sign where that matters: I32x4 Min U.
    static MethodInfo FindPlain(string name)
    {
        if (name.StartsWith("V128", StringComparison.Ordinal)) return Bitwise(name);
        var sign = name[^1] is 'S' or 'U' ? 1 : 0;
        var isUnsigned = name[^1] == 'U';
        var lane = Lane(name[..5], isUnsigned);
        var action = name[5..^sign];
        return Arithmetic(action, lane) ?? Comparison(action, lane) ?? Lanes(action, lane) ?? Rounding(action, lane)
            ?? Conversion(action, isUnsigned) ?? throw new MissingMethodException(nameof(Vector128), name);
    }

    static MethodInfo Bitwise(string name) => name switch
    {
        "V128Not" => Operator("op_OnesComplement", typeof(byte)),
        "V128And" => Operator("op_BitwiseAnd", typeof(byte)),
        "V128Or" => Operator("op_BitwiseOr", typeof(byte)),
        "V128Xor" => Operator("op_ExclusiveOr", typeof(byte)),
        "V128Andnot" => Generic("AndNot", typeof(byte)),
        _ => throw new MissingMethodException(nameof(Vector128), name),
    };

    static MethodInfo? Arithmetic(string action, Type lane) => action switch
    {
        "Add" => Operator("op_Addition", lane),
        "Sub" => Operator("op_Subtraction", lane),
        "Mul" => Operator("op_Multiply", lane),
        "Div" => Operator("op_Division", lane),
        "Neg" => Operator("op_UnaryNegation", lane),
        "Shl" => Operator("op_LeftShift", lane, typeof(int)),
        "Shr" when IsUnsigned(lane) => Operator("op_UnsignedRightShift", lane, typeof(int)),
        "Shr" => Operator("op_RightShift", lane, typeof(int)),
        "AddSat" => Generic("AddSaturate", lane),
        "SubSat" => Generic("SubtractSaturate", lane),
        "Min" => Generic("Min", lane),
        "Max" => Generic("Max", lane),
        _ => null,
    };

    static MethodInfo? Comparison(string action, Type lane) => action switch
    {
        "Eq" => Generic("Equals", lane),
        "Lt" => Generic("LessThan", lane),
        "Gt" => Generic("GreaterThan", lane),
        "Le" => Generic("LessThanOrEqual", lane),
        "Ge" => Generic("GreaterThanOrEqual", lane),
        _ => null,
    };

    static MethodInfo? Lanes(string action, Type lane) => action switch
    {
        "Splat" => Of("Create", lane),
        "ExtractLane" => Generic("GetElement", lane),
        "ReplaceLane" => Generic("WithElement", lane),
        "Bitmask" => Generic("ExtractMostSignificantBits", lane),
        _ => null,
    };

    static MethodInfo? Rounding(string action, Type lane) => action switch
    {
        "Sqrt" => Generic("Sqrt", lane),
        "Ceil" => Of("Ceiling", VectorOf(lane)),
        "Floor" => Of("Floor", VectorOf(lane)),
        "Trunc" => Of("Truncate", VectorOf(lane)),
        "Nearest" => Of("Round", VectorOf(lane)), // ties to even
        _ => null,
    };

    // Conversions of .NET saturate, and make NaN zero, since version 9.
    static MethodInfo? Conversion(string action, bool isUnsigned)
    {
        if (action.Length < 5) return null;
        var from = VectorOf(Lane(action[^5..], isUnsigned));
        return action[..^5] switch
        {
            "Narrow" => Of("NarrowWithSaturation", from, from),
            "ExtendLow" or "PromoteLow" => Of("WidenLower", from),
            "ExtendHigh" => Of("WidenUpper", from),
            "TruncSat" => Of(isUnsigned ? "ConvertToUInt32" : "ConvertToInt32", from),
            "Convert" => Of("ConvertToSingle", from),
            _ => null,
        };
    }

    static Type Lane(string shape, bool isUnsigned) => shape switch
    {
        "I8x16" => isUnsigned ? typeof(byte) : typeof(sbyte),
        "I16x8" => isUnsigned ? typeof(ushort) : typeof(short),
        "I32x4" => isUnsigned ? typeof(uint) : typeof(int),
        "I64x2" => isUnsigned ? typeof(ulong) : typeof(long),
        "F32x4" => typeof(float),
        "F64x2" => typeof(double),
        _ => throw new ArgumentOutOfRangeException(nameof(shape), shape, null),
    };

    static bool IsUnsigned(Type lane) =>
        lane == typeof(byte) || lane == typeof(ushort) || lane == typeof(uint) || lane == typeof(ulong);

    static Operation Call(CilType result, MethodInfo method) => new(result, []) { Vector = new VectorCall(method) };

    static MethodInfo Operator(string name, Type lane, Type? right = null)
    {
        var vector = VectorOf(lane);
        var isUnary = name is "op_UnaryNegation" or "op_OnesComplement";
        return vector.GetMethod(name, isUnary ? [vector] : [vector, right ?? vector])
            ?? throw new MissingMethodException(vector.Name, name);
    }
}
