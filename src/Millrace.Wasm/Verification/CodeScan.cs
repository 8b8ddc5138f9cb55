using System.Buffers.Binary;
using System.Reflection.Metadata;
using System.Runtime.InteropServices;

namespace Millrace.Wasm.Verification;

/// <summary>
/// The instructions of a method as such: that each is allowed and whole, where jumps go, and that none goes between.
/// Code that cannot be reached is looked at in this way alone, for the JIT does not compile it.
/// </summary>
sealed class CodeScan
{
    const byte Start = 1;
    const byte Target = 2;
    const byte Backward = 4;

    static readonly sbyte[] OperandBytes = OperandTable(0);
    static readonly sbyte[] OperandBytesOfPrefixed = OperandTable(0xFE00);

    byte[] _marks = [];

    /// <summary>Places of assignments, in order.</summary>
    public List<(int At, int Slot)> Stores { get; } = [];

    public bool HasCalls { get; private set; }

    public bool HasTailCalls { get; private set; }

    /// <summary>Whether a jump goes there, or a protected block, filter or handler starts there.</summary>
    public bool IsTarget(int at) => (_marks[at] & Target) != 0;

    /// <summary>Whether a jump from behind goes there.</summary>
    public bool IsLoop(int at) => (_marks[at] & Backward) != 0;

    public bool IsInstruction(int at) => (uint)at < (uint)_marks.Length && (_marks[at] & Start) != 0;

    public void MarkTarget(int at) => _marks[at] |= Target;

    /// <summary>Assignments from one place up to another.</summary>
    public ReadOnlySpan<(int At, int Slot)> StoresIn(int start, int end)
    {
        var first = FirstFrom(start);
        return CollectionsMarshal.AsSpan(Stores)[first..FirstFrom(end)];
    }

    int FirstFrom(int at)
    {
        var (low, high) = (0, Stores.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Stores[middle].At < at) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>Reads a method's code.</summary>
    /// <param name="code">The code.</param>
    /// <param name="arguments">Number of arguments: locals are slots behind them.</param>
    public void Read(ReadOnlySpan<byte> code, int arguments)
    {
        _marks = new byte[code.Length];
        Stores.Clear();
        (HasCalls, HasTailCalls) = (false, false);
        for (var at = 0; at < code.Length;)
        {
            _marks[at] |= Start;
            var next = EndOf(code, at, out var op, out var operand);
            switch (op)
            {
                case ILOpCode.Stloc or ILOpCode.Ldloca:
                    Stores.Add((at, arguments + BinaryPrimitives.ReadUInt16LittleEndian(code[operand..])));
                    break;
                case ILOpCode.Stloc_s or ILOpCode.Ldloca_s: Stores.Add((at, arguments + code[operand])); break;
                case >= ILOpCode.Stloc_0 and <= ILOpCode.Stloc_3:
                    Stores.Add((at, arguments + (op - ILOpCode.Stloc_0)));
                    break;
                case ILOpCode.Starg_s: Stores.Add((at, code[operand])); break;
                case ILOpCode.Starg:
                    Stores.Add((at, BinaryPrimitives.ReadUInt16LittleEndian(code[operand..])));
                    break;
                case ILOpCode.Tail: HasTailCalls = true; break;
                case ILOpCode.Calli: HasCalls = true; break;
                case ILOpCode.Call: HasCalls |= code[operand + 3] == 0x06; break;
                case ILOpCode.Switch: MarkSwitch(code, at, operand, next); break;
                case ILOpCode.Leave or (>= ILOpCode.Br and <= ILOpCode.Blt_un):
                    Mark(at, next + BinaryPrimitives.ReadInt32LittleEndian(code[operand..]));
                    break;
            }
            at = next;
        }
        for (var at = 0; at < code.Length; at++)
            if ((_marks[at] & (Start | Target)) == Target) throw new Refusal($"a jump into an instruction, to {at:x3}");
    }

    /// <summary>Where the instruction ends.</summary>
    public static int EndOf(ReadOnlySpan<byte> code, int at, out ILOpCode op, out int operand)
    {
        var (first, bytes) = (code[at], -1);
        op = (ILOpCode)first;
        operand = at + 1;
        if (first != 0xFE)
        {
            bytes = OperandBytes[first];
        }
        else if (operand < code.Length)
        {
            op = (ILOpCode)(0xFE00 | code[operand]);
            bytes = OperandBytesOfPrefixed[code[operand++]];
        }
        if (bytes < 0) throw new Refusal($"the instruction {op} has no place in guest code");
        if (op == ILOpCode.Switch && operand + 4 <= code.Length)
        {
            var count = BinaryPrimitives.ReadUInt32LittleEndian(code[operand..]);
            if (count > (uint)code.Length) throw new Refusal("a switch beyond the code");
            bytes = 4 + (4 * (int)count);
        }
        if (operand + bytes > code.Length) throw new Refusal("the code ends within an instruction");
        return operand + bytes;
    }

    void MarkSwitch(ReadOnlySpan<byte> code, int at, int operand, int next)
    {
        for (var i = operand + 4; i < next; i += 4)
            Mark(at, next + BinaryPrimitives.ReadInt32LittleEndian(code[i..]));
    }

    void Mark(int from, int target)
    {
        if ((uint)target >= (uint)_marks.Length) throw new Refusal("a jump out of the code");
        _marks[target] |= target <= from ? (byte)(Target | Backward) : Target;
    }

    // Bytes behind each allowed opcode; −1 for all others.
    static sbyte[] OperandTable(int page)
    {
        var table = new sbyte[256];
        Array.Fill(table, (sbyte)-1);
        foreach (var (bytes, ops) in Allowed())
        {
            foreach (var op in ops)
                if (((int)op & 0xFF00) == page) table[(int)op & 0xFF] = bytes;
        }
        return table;
    }

    static (sbyte Bytes, ILOpCode[] Ops)[] Allowed() =>
    [
        (0,
        [
            ILOpCode.Nop, ILOpCode.Ldarg_0, ILOpCode.Ldarg_1, ILOpCode.Ldarg_2, ILOpCode.Ldarg_3, ILOpCode.Ldloc_0,
            ILOpCode.Ldloc_1, ILOpCode.Ldloc_2, ILOpCode.Ldloc_3, ILOpCode.Stloc_0, ILOpCode.Stloc_1, ILOpCode.Stloc_2,
            ILOpCode.Stloc_3, ILOpCode.Ldnull, ILOpCode.Ldc_i4_m1, ILOpCode.Ldc_i4_0, ILOpCode.Ldc_i4_1,
            ILOpCode.Ldc_i4_2, ILOpCode.Ldc_i4_3, ILOpCode.Ldc_i4_4, ILOpCode.Ldc_i4_5, ILOpCode.Ldc_i4_6,
            ILOpCode.Ldc_i4_7, ILOpCode.Ldc_i4_8, ILOpCode.Dup, ILOpCode.Pop, ILOpCode.Ret, ILOpCode.Ldind_i1,
            ILOpCode.Ldind_u1, ILOpCode.Ldind_i2, ILOpCode.Ldind_u2, ILOpCode.Ldind_i4, ILOpCode.Ldind_u4,
            ILOpCode.Ldind_i8, ILOpCode.Ldind_i, ILOpCode.Ldind_r4, ILOpCode.Ldind_r8, ILOpCode.Stind_ref,
            ILOpCode.Stind_i1, ILOpCode.Stind_i2, ILOpCode.Stind_i4, ILOpCode.Stind_i8, ILOpCode.Stind_r4,
            ILOpCode.Stind_r8, ILOpCode.Add, ILOpCode.Sub, ILOpCode.Mul, ILOpCode.Div, ILOpCode.Div_un, ILOpCode.Rem,
            ILOpCode.Rem_un, ILOpCode.And, ILOpCode.Or, ILOpCode.Xor, ILOpCode.Shl, ILOpCode.Shr, ILOpCode.Shr_un,
            ILOpCode.Neg, ILOpCode.Conv_i1, ILOpCode.Conv_i2, ILOpCode.Conv_i4, ILOpCode.Conv_i8, ILOpCode.Conv_r4,
            ILOpCode.Conv_r8, ILOpCode.Conv_u4, ILOpCode.Conv_u8, ILOpCode.Conv_u2, ILOpCode.Conv_u1, ILOpCode.Conv_i,
            ILOpCode.Conv_u, ILOpCode.Ldlen, ILOpCode.Ldelem_ref, ILOpCode.Throw, ILOpCode.Ceq, ILOpCode.Cgt,
            ILOpCode.Cgt_un, ILOpCode.Clt, ILOpCode.Clt_un, ILOpCode.Endfilter, ILOpCode.Volatile, ILOpCode.Tail,
        ]),
        (1,
        [
            ILOpCode.Ldarg_s, ILOpCode.Starg_s, ILOpCode.Ldloc_s, ILOpCode.Ldloca_s, ILOpCode.Stloc_s, ILOpCode.Ldc_i4_s,
            ILOpCode.Unaligned,
        ]),
        (2, [ILOpCode.Ldarg, ILOpCode.Starg, ILOpCode.Ldloc, ILOpCode.Ldloca, ILOpCode.Stloc]),
        (4,
        [
            ILOpCode.Ldc_i4, ILOpCode.Ldc_r4, ILOpCode.Call, ILOpCode.Calli, ILOpCode.Br, ILOpCode.Brfalse,
            ILOpCode.Brtrue, ILOpCode.Beq, ILOpCode.Bge, ILOpCode.Bgt, ILOpCode.Ble, ILOpCode.Blt, ILOpCode.Bne_un,
            ILOpCode.Bge_un, ILOpCode.Bgt_un, ILOpCode.Ble_un, ILOpCode.Blt_un, ILOpCode.Switch, ILOpCode.Leave,
            ILOpCode.Ldobj, ILOpCode.Stobj, ILOpCode.Newobj, ILOpCode.Ldfld, ILOpCode.Stfld, ILOpCode.Ldsfld,
            ILOpCode.Ldelema,
        ]),
        (8, [ILOpCode.Ldc_i8, ILOpCode.Ldc_r8]),
    ];
}
