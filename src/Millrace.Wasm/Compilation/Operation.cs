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
    ILOpCode JumpIfTrue = Nop, ILOpCode JumpIfFalse = Nop);

/// <summary>The table of numeric instructions.</summary>
static class Operations
{
    public static readonly Operation I32And = new(CilType.I32, [And]);
    public static readonly Operation I64ToI32 = new(CilType.I32, [Conv_i4]);
    public static readonly Operation IsNull = new(CilType.I32, [Ldnull, Ceq], null, false, Brfalse, Brtrue);
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
        Comparisons();
        Arithmetic();
        Conversions();
        Calls();
        return rows;

        void Row(Opcode opcode, params ILOpCode[] code) => rows[opcode] = new(ResultOf(opcode), code);

        void Compare(Opcode opcode, ILOpCode jumpIfTrue, ILOpCode jumpIfFalse, params ILOpCode[] code) =>
            rows[opcode] = new(CilType.I32, code, null, false, jumpIfTrue, jumpIfFalse);

        void Call(Opcode opcode, bool canTrap = false) => rows[opcode] =
            new(ResultOf(opcode), [], GuestMembers.Method(typeof(GuestMath), opcode.ToString()), canTrap);

        void Comparisons()
        {
            Compare(Opcode.I32Eqz, Brfalse, Brtrue, Ldc_i4_0, Ceq);
            Compare(Opcode.I64Eqz, Brfalse, Brtrue, Ldc_i4_0, Conv_i8, Ceq);
            foreach (var at in (Opcode[])[Opcode.I32Eq, Opcode.I64Eq])
            {
                Compare(at, Beq, Bne_un, Ceq);
                Compare(at + 1, Bne_un, Beq, Ceq, Ldc_i4_0, Ceq);
                Compare(at + 2, Blt, Bge, Clt);
                Compare(at + 3, Blt_un, Bge_un, Clt_un);
                Compare(at + 4, Bgt, Ble, Cgt);
                Compare(at + 5, Bgt_un, Ble_un, Cgt_un);
                Compare(at + 6, Ble, Bgt, Cgt, Ldc_i4_0, Ceq);
                Compare(at + 7, Ble_un, Bgt_un, Cgt_un, Ldc_i4_0, Ceq);
                Compare(at + 8, Bge, Blt, Clt, Ldc_i4_0, Ceq);
                Compare(at + 9, Bge_un, Blt_un, Clt_un, Ldc_i4_0, Ceq);
            }
            // For floats the .un forms are true for NaN: "not less" must be "greater, equal or unordered".
            foreach (var at in (Opcode[])[Opcode.F32Eq, Opcode.F64Eq])
            {
                Compare(at, Beq, Bne_un, Ceq);
                Compare(at + 1, Bne_un, Beq, Ceq, Ldc_i4_0, Ceq);
                Compare(at + 2, Blt, Bge_un, Clt);
                Compare(at + 3, Bgt, Ble_un, Cgt);
                Compare(at + 4, Ble, Bgt_un, Cgt_un, Ldc_i4_0, Ceq);
                Compare(at + 5, Bge, Blt_un, Clt_un, Ldc_i4_0, Ceq);
            }
        }

        void Arithmetic()
        {
            foreach (var at in (Opcode[])[Opcode.I32Add, Opcode.I64Add])
            {
                Row(at, Add);
                Row(at + 1, Sub);
                Row(at + 2, Mul);
                for (var division = at + 3; division <= at + 6; division++) Call(division, canTrap: true);
                Row(at + 7, And);
                Row(at + 8, Or);
                Row(at + 9, Xor);
                Row(at + 10, Shl); // the compiler masks shift counts
                Row(at + 11, Shr);
                Row(at + 12, Shr_un);
            }
            foreach (var at in (Opcode[])[Opcode.F32Add, Opcode.F64Add])
            {
                Row(at, Add);
                Row(at + 1, Sub);
                Row(at + 2, Mul);
                Row(at + 3, Div);
            }
            Row(Opcode.F32Neg, Neg);
            Row(Opcode.F64Neg, Neg);
        }

        void Conversions()
        {
            Row(Opcode.I32WrapI64, Conv_i4);
            Row(Opcode.I64ExtendI32S, Conv_i8);
            Row(Opcode.I64ExtendI32U, Conv_u8);
            Row(Opcode.F32ConvertI32S, Conv_r4);
            Row(Opcode.F32ConvertI64S, Conv_r4);
            Row(Opcode.F64ConvertI32S, Conv_r8);
            Row(Opcode.F64ConvertI64S, Conv_r8);
            Row(Opcode.F32DemoteF64, Conv_r4);
            Row(Opcode.F64PromoteF32, Conv_r8);
            Row(Opcode.I32Extend8S, Conv_i1);
            Row(Opcode.I32Extend16S, Conv_i2);
            Row(Opcode.I64Extend8S, Conv_i1, Conv_i8);
            Row(Opcode.I64Extend16S, Conv_i2, Conv_i8);
            Row(Opcode.I64Extend32S, Conv_i4, Conv_i8);
        }

        void Calls()
        {
            foreach (var method in typeof(GuestMath).GetMethods(BindingFlags.Static | BindingFlags.Public))
            {
                var opcode = Enum.Parse<Opcode>(method.Name);
                var canTrap = opcode is >= Opcode.I32TruncF32S and <= Opcode.I32TruncF64U
                    or >= Opcode.I64TruncF32S and <= Opcode.I64TruncF64U;
                if (!rows.ContainsKey(opcode)) Call(opcode, canTrap);
            }
        }
    }

    static CilType ResultOf(Opcode opcode) => CilTypes.Of(Instructions.Of(opcode).Results[0]);
}
