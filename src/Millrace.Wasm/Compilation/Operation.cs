using System.Collections.Frozen;
using System.Reflection;
using System.Reflection.Metadata;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;
using static System.Reflection.Metadata.ILOpCode;

namespace Millrace.Wasm.Compilation;

/// <summary>How a numeric instruction is written in CIL: instructions without operands, or a call.</summary>
/// <param name="Result">Type of the result.</param>
/// <param name="Code">The instructions behind the operands.</param>
/// <param name="Method">What to call instead.</param>
/// <param name="CanTrap">Whether it must happen in its place.</param>
/// <param name="JumpIfTrue">Comparisons: the jump that is taken when they hold.</param>
/// <param name="JumpIfFalse">Comparisons: the jump that is taken when they do not.</param>
sealed record Operation(
    CilType Result, ILOpCode[] Code, MethodInfo? Method = null, bool CanTrap = false,
    ILOpCode JumpIfTrue = Nop, ILOpCode JumpIfFalse = Nop)
{
    /// <summary>Vector instructions: what to call.</summary>
    public VectorCall? Vector { get; init; }
}

/// <summary>The table of numeric instructions.</summary>
static class Operations
{
    public static readonly Operation I32And = new(CilType.I32, [And]);
    public static readonly Operation I32Or = new(CilType.I32, [Or]);
    public static readonly Operation I64Or = new(CilType.I64, [Or]);
    public static readonly Operation I64ToI32 = new(CilType.I32, [Conv_i4]);
    public static readonly Operation IsNull = new(CilType.I32, [Ldnull, Ceq], null, false, Brfalse, Brtrue);
    public static readonly Operation IsNotNull = new(CilType.I32, [Ldnull, Cgt_un], null, false, Brtrue, Brfalse);
    public static readonly Operation F64Add = new(CilType.F64, [Add]);

    static readonly FrozenDictionary<Opcode, Operation> Rows = Table().ToFrozenDictionary();

    public static Operation? Find(Opcode opcode) => Rows.GetValueOrDefault(opcode);

    /// <summary>The plain CIL division of an instruction, for divisors known to be neither 0 nor −1.</summary>
    public static Operation? PlainDivision(Opcode opcode) => opcode switch
    {
        Opcode.I32DivS => new(CilType.I32, [Div]),
        Opcode.I32DivU => new(CilType.I32, [Div_un]),
        Opcode.I32RemS => new(CilType.I32, [Rem]),
        Opcode.I32RemU => new(CilType.I32, [Rem_un]),
        Opcode.I64DivS => new(CilType.I64, [Div]),
        Opcode.I64DivU => new(CilType.I64, [Div_un]),
        Opcode.I64RemS => new(CilType.I64, [Rem]),
        Opcode.I64RemU => new(CilType.I64, [Rem_un]),
        _ => null,
    };

    static Dictionary<Opcode, Operation> Table()
    {
        var rows = new Dictionary<Opcode, Operation>();
        AddComparisons(rows);
        AddArithmetic(rows);
        AddConversions(rows);
        AddCalls(rows);
        return rows;
    }

    static void Row(Dictionary<Opcode, Operation> rows, Opcode opcode, params ILOpCode[] code) =>
        rows[opcode] = new(ResultOf(opcode), code);

    static void Compare(
        Dictionary<Opcode, Operation> rows, Opcode opcode, ILOpCode jumpIfTrue, ILOpCode jumpIfFalse,
        params ILOpCode[] code) =>
        rows[opcode] = new(CilType.I32, code, null, false, jumpIfTrue, jumpIfFalse);

    static void Call(Dictionary<Opcode, Operation> rows, Opcode opcode, bool canTrap = false) => rows[opcode] =
        new(ResultOf(opcode), [], GuestMembers.Method(typeof(GuestMath), opcode.ToString()), canTrap);

    static void AddComparisons(Dictionary<Opcode, Operation> rows)
    {
        Compare(rows, Opcode.I32Eqz, Brfalse, Brtrue, Ldc_i4_0, Ceq);
        Compare(rows, Opcode.I64Eqz, Brfalse, Brtrue, Ldc_i4_0, Conv_i8, Ceq);
        foreach (var at in (Opcode[])[Opcode.I32Eq, Opcode.I64Eq])
        {
            Compare(rows, at, Beq, Bne_un, Ceq);
            Compare(rows, at + 1, Bne_un, Beq, Ceq, Ldc_i4_0, Ceq);
            Compare(rows, at + 2, Blt, Bge, Clt);
            Compare(rows, at + 3, Blt_un, Bge_un, Clt_un);
            Compare(rows, at + 4, Bgt, Ble, Cgt);
            Compare(rows, at + 5, Bgt_un, Ble_un, Cgt_un);
            Compare(rows, at + 6, Ble, Bgt, Cgt, Ldc_i4_0, Ceq);
            Compare(rows, at + 7, Ble_un, Bgt_un, Cgt_un, Ldc_i4_0, Ceq);
            Compare(rows, at + 8, Bge, Blt, Clt, Ldc_i4_0, Ceq);
            Compare(rows, at + 9, Bge_un, Blt_un, Clt_un, Ldc_i4_0, Ceq);
        }
        // For floats the .un forms are true for NaN: "not less" must be "greater, equal or unordered".
        foreach (var at in (Opcode[])[Opcode.F32Eq, Opcode.F64Eq])
        {
            Compare(rows, at, Beq, Bne_un, Ceq);
            Compare(rows, at + 1, Bne_un, Beq, Ceq, Ldc_i4_0, Ceq);
            Compare(rows, at + 2, Blt, Bge_un, Clt);
            Compare(rows, at + 3, Bgt, Ble_un, Cgt);
            Compare(rows, at + 4, Ble, Bgt_un, Cgt_un, Ldc_i4_0, Ceq);
            Compare(rows, at + 5, Bge, Blt_un, Clt_un, Ldc_i4_0, Ceq);
        }
    }

    static void AddArithmetic(Dictionary<Opcode, Operation> rows)
    {
        foreach (var at in (Opcode[])[Opcode.I32Add, Opcode.I64Add])
        {
            Row(rows, at, Add);
            Row(rows, at + 1, Sub);
            Row(rows, at + 2, Mul);
            for (var division = at + 3; division <= at + 6; division++) Call(rows, division, canTrap: true);
            Row(rows, at + 7, And);
            Row(rows, at + 8, Or);
            Row(rows, at + 9, Xor);
            Row(rows, at + 10, Shl); // the compiler masks shift counts
            Row(rows, at + 11, Shr);
            Row(rows, at + 12, Shr_un);
        }
        foreach (var at in (Opcode[])[Opcode.F32Add, Opcode.F64Add])
        {
            Row(rows, at, Add);
            Row(rows, at + 1, Sub);
            Row(rows, at + 2, Mul);
            Row(rows, at + 3, Div);
        }
        Row(rows, Opcode.F32Neg, Neg);
        Row(rows, Opcode.F64Neg, Neg);
    }

    static void AddConversions(Dictionary<Opcode, Operation> rows)
    {
        Row(rows, Opcode.I32WrapI64, Conv_i4);
        Row(rows, Opcode.I64ExtendI32S, Conv_i8);
        Row(rows, Opcode.I64ExtendI32U, Conv_u8);
        Row(rows, Opcode.F32ConvertI32S, Conv_r4);
        Row(rows, Opcode.F32ConvertI64S, Conv_r4);
        Row(rows, Opcode.F64ConvertI32S, Conv_r8);
        Row(rows, Opcode.F64ConvertI64S, Conv_r8);
        Row(rows, Opcode.F32DemoteF64, Conv_r4);
        Row(rows, Opcode.F64PromoteF32, Conv_r8);
        Row(rows, Opcode.I32Extend8S, Conv_i1);
        Row(rows, Opcode.I32Extend16S, Conv_i2);
        Row(rows, Opcode.I64Extend8S, Conv_i1, Conv_i8);
        Row(rows, Opcode.I64Extend16S, Conv_i2, Conv_i8);
        Row(rows, Opcode.I64Extend32S, Conv_i4, Conv_i8);
    }

    static void AddCalls(Dictionary<Opcode, Operation> rows)
    {
        foreach (var method in typeof(GuestMath).GetMethods(BindingFlags.Static | BindingFlags.Public))
        {
            var opcode = Enum.Parse<Opcode>(method.Name);
            var canTrap = opcode is >= Opcode.I32TruncF32S and <= Opcode.I32TruncF64U
                or >= Opcode.I64TruncF32S and <= Opcode.I64TruncF64U;
            if (!rows.ContainsKey(opcode)) Call(rows, opcode, canTrap);
        }
    }

    static CilType ResultOf(Opcode opcode) => CilTypes.Of(Instructions.Of(opcode).Results[0]);
}
