using System.Reflection;
using System.Reflection.Metadata;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Atomic loads, stores and updates, waiting and notifying. Each happens in its place, and behind each the length of a
/// shared memory is read anew: what another thread did before may have been to grow it.
/// </summary>
sealed class AtomicInstructions(FunctionBody body, OperandStack stack, MemoryAccess memory)
{
    // The rows of each family, in this order: i32, i64, i32 of 8 and 16 bits, i64 of 8, 16 and 32 bits.
    const int FamilyRows = 7;

    static readonly MethodInfo Fence = Method(nameof(GuestAtomics.Fence));
    static readonly MethodInfo Notify = Method(nameof(GuestAtomics.Notify));
    static readonly MethodInfo Wait32 = Method(nameof(GuestAtomics.Wait32));
    static readonly MethodInfo Wait64 = Method(nameof(GuestAtomics.Wait64));

    // Sub adds the negative; a store is an exchange whose result nobody wants.
    static readonly string[] Families =
        ["Load", "Exchange", "Add", "Add", "And", "Or", "Xor", "Exchange", "Compare"];

    static readonly MethodInfo[] Methods =
        [.. Families.SelectMany(family => new[] { 8, 16, 32, 64 }.Select(bits => Method($"{family}{bits}")))];

    IlWriter Il => body.Il;

    public static bool Has(Opcode opcode) => (int)opcode >> 12 == 0xFE;

    public void Translate(ref InstructionReader reader)
    {
        switch (reader.Opcode)
        {
            case Opcode.AtomicFence:
                stack.SettleReadersOf(Reads.All);
                Il.Call(body.Module.Image.Method(Fence), 0, 0);
                break;
            case Opcode.MemoryAtomicNotify: Call(Notify, ref reader); break;
            case Opcode.MemoryAtomicWait32: Call(Wait32, ref reader); break;
            case Opcode.MemoryAtomicWait64: Call(Wait64, ref reader); break;
            default: Access(reader.Row, reader.Index, reader.MemoryOffset); break;
        }
        body.ReloadSharedMemories();
    }

    void Access(Instruction row, int index, ulong offset)
    {
        var operands = new Expression[row.Parameters.Length - 1];
        for (var i = operands.Length - 1; i >= 0; i--) operands[i] = stack.Pop();
        var address = memory.CheckedAddress(stack.Pop(), index, offset, row.AccessBytes);
        CheckAlignment(address, offset, row.AccessBytes);
        stack.SettleReadersOf(Reads.All);
        var family = (row.Opcode - Opcode.I32AtomicLoad) / FamilyRows;
        var isNarrow64 = row.AccessBytes < 8 && CilTypes.Of(Value(row)) == CilType.I64;
        MemoryAccess.WriteAddress(body, stack, index, address, offset);
        foreach (var operand in operands)
        {
            stack.Write(operand);
            if (isNarrow64) Il.Op(ILOpCode.Conv_i4);
            if (row.Opcode is >= Opcode.I32AtomicRmwSub and < Opcode.I32AtomicRmwAnd) Il.Op(ILOpCode.Neg);
        }
        Il.Call(body.Module.Image.Method(Methods[(4 * family) + row.AccessLog2]), 1 + operands.Length, 1);
        if (row.Results.IsEmpty)
        {
            Il.Op(ILOpCode.Pop);
            return;
        }
        if (isNarrow64) Il.Op(ILOpCode.Conv_u8);
        Push(CilTypes.Of(row.Results[0]));
    }

    // The last operand, or the result of a load.
    static ValueType Value(Instruction row) => row.Parameters.Length > 1 ? row.Parameters[^1] : row.Results[0];

    void CheckAlignment(Expression address, ulong offset, int bytes)
    {
        if (bytes == 1) return;
        var mask = bytes - 1;
        stack.WriteCopy(address);
        if (address.Type == CilType.I64) Il.Op(ILOpCode.Conv_i4);
        if (((int)offset & mask) != 0)
        {
            Il.Constant((int)offset & mask);
            Il.Op(ILOpCode.Add);
        }
        Il.Constant(mask);
        Il.Op(ILOpCode.And);
        Il.Jump(ILOpCode.Brtrue, body.Trap(TrapCode.UnalignedAtomic));
    }

    void Call(MethodInfo method, ref InstructionReader reader)
    {
        var count = reader.Row.Parameters.Length;
        stack.SettleReadersOf(Reads.All, except: count);
        var address = stack.Peek(count - 1);
        body.LoadContext();
        Il.Constant(reader.Index);
        stack.Write(address);
        if (address.Type == CilType.I32) Il.Op(ILOpCode.Conv_u8);
        Il.Constant((long)reader.MemoryOffset);
        for (var i = count - 2; i >= 0; i--) stack.Write(stack.Peek(i));
        for (var i = 0; i < count; i++) stack.Pop();
        Il.Call(body.Module.Image.Method(method), 3 + count, 1);
        Push(CilType.I32);
    }

    void Push(CilType type)
    {
        var temp = body.Pool.Take(type);
        Il.StoreLocal(temp);
        stack.Push(Expression.Temp(type, temp));
    }

    static MethodInfo Method(string name) => GuestMembers.Method(typeof(GuestAtomics), name);
}
