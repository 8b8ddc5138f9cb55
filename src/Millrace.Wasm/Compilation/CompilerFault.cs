using System.Reflection.Metadata;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// A mistake that the compiler makes on purpose, so that tests show that they find it. Only they can ask for one.
/// </summary>
enum CompilerFault
{
    /// <summary>None: as everywhere but in those tests.</summary>
    None,
    /// <summary><c>i64.extend_i32_s</c> extends with zeros.</summary>
    ExtendsWithZeros,
    /// <summary><c>i32.extend8_s</c> extends with zeros.</summary>
    ExtendsByteWithZeros,
    /// <summary>Shift counts are taken modulo 16.</summary>
    MasksShiftsTooFar,
    /// <summary><c>i32.shr_u</c> shifts the sign in.</summary>
    ShiftsSignIn,
    /// <summary><c>i32.lt_u</c> compares with signs.</summary>
    ComparesWithSigns,
    /// <summary><c>i64.le_s</c> is less-than.</summary>
    ComparesTooStrictly,
    /// <summary><c>i32.div_u</c> divides with signs.</summary>
    DividesWithSigns,
    /// <summary><c>f64.lt</c> is true for what is not a number.</summary>
    OrdersNotANumber,
    /// <summary><c>f32.min</c> forgets what is not a number.</summary>
    ForgetsNotANumber,
    /// <summary><c>f64.neg</c> subtracts from zero, which keeps a positive zero.</summary>
    LosesNegativeZero,
    /// <summary><c>f64.nearest</c> rounds up.</summary>
    RoundsUp,
    /// <summary><c>f64.convert_i32_u</c> converts with signs.</summary>
    ConvertsWithSigns,
    /// <summary><c>i32.trunc_sat_f64_s</c> gives zero for what is too large.</summary>
    SaturatesToZero,
    /// <summary><c>i32.ctz</c> counts zeros from the other end.</summary>
    CountsFromTheWrongEnd,
    /// <summary>Memory accesses may end one byte behind the memory.</summary>
    ChecksOneByteLess,
    /// <summary>A load's offset is left out of its check.</summary>
    ChecksWithoutOffset,
    /// <summary>A check still counts when its local was assigned.</summary>
    KeepsChecksOfAssigned,
    /// <summary>A check still counts where control comes from elsewhere.</summary>
    KeepsChecksAtLabels,
    /// <summary><c>i32.load8_s</c> extends with zeros.</summary>
    LoadsByteWithoutSign,
    /// <summary><c>i64.store16</c> stores four bytes.</summary>
    StoresTooMuch,
    /// <summary>The length of a memory is not read again after a call.</summary>
    KeepsLengthOverCalls,
    /// <summary>Values of a local on the stack change when it is assigned.</summary>
    ReadsLocalsTooLate,
    /// <summary>Values of a global on the stack change when it is assigned.</summary>
    ReadsGlobalsTooLate,
    /// <summary>Loads on the stack see later stores.</summary>
    LoadsTooLate,
    /// <summary>The arms of <c>select</c> are swapped.</summary>
    SwapsSelect,
    /// <summary><c>call_indirect</c> does not look at the type.</summary>
    CallsAnyType,
}

/// <summary>Numeric instructions as a <see cref="CompilerFault"/> has them.</summary>
static class FaultyOperations
{
    /// <summary>The instruction's row; another one where the fault is about it.</summary>
    public static Operation? Find(Opcode opcode, EngineOptions options)
    {
        var fault = options.Fault;
        if (options.Without is SafetyCheck.Divisions or SafetyCheck.Truncations && Unchecked(opcode, options.Without) is { } bare)
            return bare;
        if (fault == CompilerFault.None) return Operations.Find(opcode);
        return (opcode, fault) switch
        {
            (Opcode.I64ExtendI32S, CompilerFault.ExtendsWithZeros) => Operations.Find(Opcode.I64ExtendI32U),
            (Opcode.I32Extend8S, CompilerFault.ExtendsByteWithZeros) => new(CilType.I32, [ILOpCode.Conv_u1]),
            (Opcode.I32ShrU, CompilerFault.ShiftsSignIn) => Operations.Find(Opcode.I32ShrS),
            (Opcode.I32LtU, CompilerFault.ComparesWithSigns) => Operations.Find(Opcode.I32LtS),
            (Opcode.I64LeS, CompilerFault.ComparesTooStrictly) => Operations.Find(Opcode.I64LtS),
            (Opcode.I32DivU, CompilerFault.DividesWithSigns) => Operations.Find(Opcode.I32DivS),
            (Opcode.F64Lt, CompilerFault.OrdersNotANumber) =>
                new(CilType.I32, [ILOpCode.Clt_un], null, false, ILOpCode.Blt_un, ILOpCode.Bge),
            (Opcode.F32Min, CompilerFault.ForgetsNotANumber) => Calling(CilType.F32, nameof(MinOfNumbers)),
            (Opcode.F64Neg, CompilerFault.LosesNegativeZero) => Calling(CilType.F64, nameof(FromZero)),
            (Opcode.F64Nearest, CompilerFault.RoundsUp) => Operations.Find(Opcode.F64Ceil),
            (Opcode.F64ConvertI32U, CompilerFault.ConvertsWithSigns) => Operations.Find(Opcode.F64ConvertI32S),
            (Opcode.I32TruncSatF64S, CompilerFault.SaturatesToZero) => Calling(CilType.I32, nameof(ZeroIfTooLarge)),
            (Opcode.I32Ctz, CompilerFault.CountsFromTheWrongEnd) => Operations.Find(Opcode.I32Clz),
            _ => Operations.Find(opcode),
        };
    }

    // What the processor, or .NET, makes of it.
    static Operation? Unchecked(Opcode opcode, SafetyCheck without) => (opcode, without) switch
    {
        (Opcode.I32DivS, SafetyCheck.Divisions) => new(CilType.I32, [ILOpCode.Div]),
        (Opcode.I32DivU, SafetyCheck.Divisions) => new(CilType.I32, [ILOpCode.Div_un]),
        (Opcode.I32RemS, SafetyCheck.Divisions) => new(CilType.I32, [ILOpCode.Rem]),
        (Opcode.I64DivS, SafetyCheck.Divisions) => new(CilType.I64, [ILOpCode.Div]),
        (Opcode.I64DivU, SafetyCheck.Divisions) => new(CilType.I64, [ILOpCode.Div_un]),
        (Opcode.I64RemS, SafetyCheck.Divisions) => new(CilType.I64, [ILOpCode.Rem]),
        (Opcode.I32TruncF32S, SafetyCheck.Truncations) => Operations.Find(Opcode.I32TruncSatF32S),
        (Opcode.I32TruncF32U, SafetyCheck.Truncations) => Operations.Find(Opcode.I32TruncSatF32U),
        (Opcode.I32TruncF64S, SafetyCheck.Truncations) => Operations.Find(Opcode.I32TruncSatF64S),
        (Opcode.I32TruncF64U, SafetyCheck.Truncations) => Operations.Find(Opcode.I32TruncSatF64U),
        (Opcode.I64TruncF32S, SafetyCheck.Truncations) => Operations.Find(Opcode.I64TruncSatF32S),
        (Opcode.I64TruncF32U, SafetyCheck.Truncations) => Operations.Find(Opcode.I64TruncSatF32U),
        (Opcode.I64TruncF64S, SafetyCheck.Truncations) => Operations.Find(Opcode.I64TruncSatF64S),
        (Opcode.I64TruncF64U, SafetyCheck.Truncations) => Operations.Find(Opcode.I64TruncSatF64U),
        _ => null,
    };

    public static float MinOfNumbers(float a, float b) => a < b || float.IsNaN(b) ? a : b;

    public static double FromZero(double a) => 0 - a;

    public static int ZeroIfTooLarge(double a) => Math.Abs(a) < 2147483648 ? (int)a : 0;

    static Operation Calling(CilType result, string method) =>
        new(result, [], GuestMembers.Method(typeof(FaultyOperations), method));
}
