using System.Collections.Frozen;
using System.Reflection;
using System.Runtime.Intrinsics;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// The table of vector instructions that are one call: of <see cref="Vector128"/> where the JIT makes an instruction
/// or two of it, else of <see cref="GuestVectors"/>.
/// </summary>
static class VectorOperations
{
    static readonly Type[] Signed = [typeof(sbyte), typeof(short), typeof(int), typeof(long)];
    static readonly Type[] Unsigned = [typeof(byte), typeof(ushort), typeof(uint), typeof(ulong)];
    static readonly string[] Shapes = ["I8x16", "I16x8", "I32x4", "I64x2"];

    static readonly FrozenDictionary<Opcode, Operation> Rows = Table().ToFrozenDictionary();

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
        [.. Signed.Select(lane => Call(CilType.I32, Generic("EqualsAny", lane)))];

    public static Operation Of(Opcode opcode) => Rows[opcode];

    /// <summary>Whether any lane is equal: by log2 of a lane's bytes.</summary>
    public static Operation AnyEqual(int laneLog2) => EqualsAny[laneLog2];

    static Dictionary<Opcode, Operation> Table()
    {
        var rows = new Dictionary<Opcode, Operation>();
        for (var i = 0; i < Shapes.Length; i++) AddIntegers(rows, Shapes[i], Signed[i], Unsigned[i]);
        AddIntegerWidths(rows);
        AddFloats(rows, "F32x4", typeof(float));
        AddFloats(rows, "F64x2", typeof(double));
        AddConversions(rows);
        Row(rows, "V128Not", Operator("op_OnesComplement", typeof(byte)));
        Row(rows, "V128And", Operator("op_BitwiseAnd", typeof(byte)));
        Row(rows, "V128Or", Operator("op_BitwiseOr", typeof(byte)));
        Row(rows, "V128Xor", Operator("op_ExclusiveOr", typeof(byte)));
        Row(rows, "V128Andnot", Generic("AndNot", typeof(byte)));
        foreach (var method in typeof(GuestVectors).GetMethods(BindingFlags.Static | BindingFlags.Public))
            if (Enum.TryParse<Opcode>(method.Name, out _)) Row(rows, method.Name, method);
        return rows;
    }

    static void AddIntegers(Dictionary<Opcode, Operation> rows, string shape, Type signed, Type unsigned)
    {
        Row(rows, shape + "Add", Operator("op_Addition", signed));
        Row(rows, shape + "Sub", Operator("op_Subtraction", signed));
        Row(rows, shape + "Neg", Operator("op_UnaryNegation", signed));
        Row(rows, shape + "Shl", Operator("op_LeftShift", signed, typeof(int)));
        Row(rows, shape + "ShrS", Operator("op_RightShift", signed, typeof(int)));
        Row(rows, shape + "ShrU", Operator("op_UnsignedRightShift", unsigned, typeof(int)));
        Row(rows, shape + "Eq", Generic("Equals", signed));
        AddComparisons(rows, shape, "S", signed);
        if (signed != typeof(long)) AddComparisons(rows, shape, "U", unsigned);
        Row(rows, shape + "Splat", Of("Create", signed));
        Row(rows, shape + "Bitmask", Generic("ExtractMostSignificantBits", signed));
        LaneRow(rows, shape + "ReplaceLane", "WithElement", signed);
        if (signed == typeof(sbyte) || signed == typeof(short))
        {
            LaneRow(rows, shape + "ExtractLaneS", "GetElement", signed);
            LaneRow(rows, shape + "ExtractLaneU", "GetElement", unsigned);
        }
        else
        {
            LaneRow(rows, shape + "ExtractLane", "GetElement", signed);
        }
    }

    static void AddComparisons(Dictionary<Opcode, Operation> rows, string shape, string sign, Type lane)
    {
        Row(rows, $"{shape}Lt{sign}", Generic("LessThan", lane));
        Row(rows, $"{shape}Gt{sign}", Generic("GreaterThan", lane));
        Row(rows, $"{shape}Le{sign}", Generic("LessThanOrEqual", lane));
        Row(rows, $"{shape}Ge{sign}", Generic("GreaterThanOrEqual", lane));
    }

    // What not all widths have.
    static void AddIntegerWidths(Dictionary<Opcode, Operation> rows)
    {
        for (var i = 0; i < 3; i++)
        {
            Row(rows, Shapes[i] + "MinS", Generic("Min", Signed[i]));
            Row(rows, Shapes[i] + "MinU", Generic("Min", Unsigned[i]));
            Row(rows, Shapes[i] + "MaxS", Generic("Max", Signed[i]));
            Row(rows, Shapes[i] + "MaxU", Generic("Max", Unsigned[i]));
            Row(rows, Shapes[i + 1] + "Mul", Operator("op_Multiply", Signed[i + 1]));
            AddWidening(rows, $"{Shapes[i + 1]}Extend", Shapes[i], Signed[i], Unsigned[i]);
        }
        for (var i = 0; i < 2; i++)
        {
            Row(rows, Shapes[i] + "AddSatS", Generic("AddSaturate", Signed[i]));
            Row(rows, Shapes[i] + "AddSatU", Generic("AddSaturate", Unsigned[i]));
            Row(rows, Shapes[i] + "SubSatS", Generic("SubtractSaturate", Signed[i]));
            Row(rows, Shapes[i] + "SubSatU", Generic("SubtractSaturate", Unsigned[i]));
            Row(rows, $"{Shapes[i]}Narrow{Shapes[i + 1]}S",
                Of("NarrowWithSaturation", VectorOf(Signed[i + 1]), VectorOf(Signed[i + 1])));
        }
    }

    static void AddWidening(
        Dictionary<Opcode, Operation> rows, string prefix, string from, Type signed, Type unsigned)
    {
        Row(rows, $"{prefix}Low{from}S", Of("WidenLower", VectorOf(signed)));
        Row(rows, $"{prefix}Low{from}U", Of("WidenLower", VectorOf(unsigned)));
        Row(rows, $"{prefix}High{from}S", Of("WidenUpper", VectorOf(signed)));
        Row(rows, $"{prefix}High{from}U", Of("WidenUpper", VectorOf(unsigned)));
    }

    static void AddFloats(Dictionary<Opcode, Operation> rows, string shape, Type lane)
    {
        Row(rows, shape + "Add", Operator("op_Addition", lane));
        Row(rows, shape + "Sub", Operator("op_Subtraction", lane));
        Row(rows, shape + "Mul", Operator("op_Multiply", lane));
        Row(rows, shape + "Div", Operator("op_Division", lane));
        Row(rows, shape + "Sqrt", Generic("Sqrt", lane));
        Row(rows, shape + "Ceil", Of("Ceiling", VectorOf(lane)));
        Row(rows, shape + "Floor", Of("Floor", VectorOf(lane)));
        Row(rows, shape + "Trunc", Of("Truncate", VectorOf(lane)));
        Row(rows, shape + "Nearest", Of("Round", VectorOf(lane)));
        Row(rows, shape + "Eq", Generic("Equals", lane));
        AddComparisons(rows, shape, "", lane);
        Row(rows, shape + "Splat", Of("Create", lane));
        LaneRow(rows, shape + "ReplaceLane", "WithElement", lane);
        LaneRow(rows, shape + "ExtractLane", "GetElement", lane);
    }

    // Conversions of .NET saturate, and make NaN zero, since version 9.
    static void AddConversions(Dictionary<Opcode, Operation> rows)
    {
        Row(rows, "I32x4TruncSatF32x4S", Of("ConvertToInt32", VectorOf(typeof(float))));
        Row(rows, "I32x4TruncSatF32x4U", Of("ConvertToUInt32", VectorOf(typeof(float))));
        Row(rows, "F32x4ConvertI32x4S", Of("ConvertToSingle", VectorOf(typeof(int))));
        Row(rows, "F32x4ConvertI32x4U", Of("ConvertToSingle", VectorOf(typeof(uint))));
        Row(rows, "F64x2PromoteLowF32x4", Of("WidenLower", VectorOf(typeof(float))));
    }

    static void Row(Dictionary<Opcode, Operation> rows, string name, MethodInfo method)
    {
        var opcode = Enum.Parse<Opcode>(name);
        rows[opcode] = Call(CilTypes.Of(Instructions.Of(opcode).Results[0]), method);
    }

    static void LaneRow(Dictionary<Opcode, Operation> rows, string name, string method, Type lane)
    {
        var opcode = Enum.Parse<Opcode>(name);
        rows[opcode] = new(CilTypes.Of(Instructions.Of(opcode).Results[0]), [])
        {
            Vector = new VectorCall(Generic(method, lane), hasLane: true),
        };
    }

    static Operation Call(CilType result, MethodInfo method) => new(result, []) { Vector = new VectorCall(method) };

    /// <summary>A method of <see cref="Vector128"/> with one type parameter.</summary>
    public static MethodInfo Generic(string name, Type lane) =>
        typeof(Vector128).GetMethods().Single(method => method.Name == name
            && method.IsGenericMethodDefinition && method.GetGenericArguments().Length == 1).MakeGenericMethod(lane);

    /// <summary>A method of <see cref="Vector128"/> by its parameters.</summary>
    public static MethodInfo Of(string name, params Type[] parameters) =>
        typeof(Vector128).GetMethod(name, parameters) ?? throw new MissingMethodException(nameof(Vector128), name);

    static MethodInfo Operator(string name, Type lane, Type? right = null)
    {
        var vector = VectorOf(lane);
        var isUnary = name is "op_UnaryNegation" or "op_OnesComplement";
        return vector.GetMethod(name, isUnary ? [vector] : [vector, right ?? vector])
            ?? throw new MissingMethodException(vector.Name, name);
    }

    public static Type VectorOf(Type lane) => typeof(Vector128<>).MakeGenericType(lane);
}
