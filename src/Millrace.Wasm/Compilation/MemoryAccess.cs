using System.Reflection.Metadata;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Loads and stores of memory 0 with explicit bounds checks. Along straight code the check of an address in a local
/// is left out where one for at least as many bytes went before: memory never shrinks.
/// </summary>
sealed class MemoryAccess(FunctionBody body, OperandStack stack)
{
    readonly Dictionary<int, ulong> _checkedBytes = [];

    IlWriter Il => body.Il;

    /// <summary>Where code may be reached from elsewhere, nothing is known of earlier checks.</summary>
    public void ForgetChecks() => _checkedBytes.Clear();

    /// <summary>After an assignment.</summary>
    public void ForgetChecks(int local) => _checkedBytes.Remove(local);

    public void Load(Instruction row, ulong offset, int lane)
    {
        var vector = VectorMemory.IsLaneLoad(row.Opcode) ? stack.Pop() : null;
        var address = CheckedAddress(stack.Pop(), row, offset);
        stack.Push(Expression.Load(row.Opcode, CilTypes.Of(row.Results[0]), address, offset, vector, lane));
    }

    public void Store(Instruction row, ulong offset, int lane)
    {
        var value = stack.Pop();
        var address = CheckedAddress(stack.Pop(), row, offset);
        stack.SettleReadersOf(Reads.Memory);
        WriteAddress(body, stack, address, offset);
        stack.WriteOperand(value);
        if (value.Type == CilType.V128)
        {
            VectorMemory.WriteStore(body, row.Opcode, lane);
            return;
        }
        var (narrow, code) = StoreCode(row.Opcode);
        if (narrow) Il.Op(ILOpCode.Conv_i4);
        Il.Op(code);
    }

    /// <summary>The load itself; its check was written when it was met.</summary>
    public static void WriteLoad(FunctionBody body, OperandStack stack, Expression load)
    {
        if (load.B is not null) VectorMemory.WriteLaneOperand(body, stack, load);
        WriteAddress(body, stack, load.A!, load.Bits);
        if (load.Type == CilType.V128)
        {
            VectorMemory.WriteLoad(body, load.Opcode);
            return;
        }
        var (code, widen) = LoadCode(load.Opcode);
        body.Il.Op(code);
        if (widen != ILOpCode.Nop) body.Il.Op(widen);
    }

    // Settled, because both the check and the access need it; a local may stay one, for assignments settle its readers.
    Expression CheckedAddress(Expression address, Instruction row, ulong offset)
    {
        if (address.Kind != ExpressionKind.Local) address = stack.Settled(address);
        var bytes = offset + (ulong)row.AccessBytes;
        switch (address.Kind)
        {
            case ExpressionKind.Constant: CheckConstant(address.Bits + bytes); break;
            case ExpressionKind.Local when _checkedBytes.GetValueOrDefault(address.Index) >= bytes: break;
            case ExpressionKind.Local:
                WriteCheck(address, bytes);
                _checkedBytes[address.Index] = bytes;
                break;
            default: WriteCheck(address, bytes); break;
        }
        return address;
    }

    void CheckConstant(ulong end)
    {
        if (end <= body.Module.MemoryBytesMin) return;
        Il.Constant((long)end);
        Il.LoadLocal(body.MemoryLength);
        Il.Jump(ILOpCode.Bgt_un, body.Trap(TrapCode.OutOfBoundsMemoryAccess));
    }

    // address > length - bytes: the difference does not change in a loop, so that only a compare is left there. It must
    // not be negative, hence the other form for what exceeds the memory's initial size.
    void WriteCheck(Expression address, ulong bytes)
    {
        stack.WriteCopy(address);
        Il.Op(ILOpCode.Conv_u8);
        if (bytes <= body.Module.MemoryBytesMin)
        {
            Il.LoadLocal(body.MemoryLength);
            Il.Constant((long)bytes);
            Il.Op(ILOpCode.Sub);
        }
        else
        {
            Il.Constant((long)bytes);
            Il.Op(ILOpCode.Add);
            Il.LoadLocal(body.MemoryLength);
        }
        Il.Jump(ILOpCode.Bgt_un, body.Trap(TrapCode.OutOfBoundsMemoryAccess));
    }

    static void WriteAddress(FunctionBody body, OperandStack stack, Expression address, ulong offset)
    {
        var il = body.Il;
        if (address.Kind == ExpressionKind.Constant)
        {
            il.LoadLocal(body.MemoryBase);
            WriteOffset(il, address.Bits + offset);
            return;
        }
        stack.Write(address);
        il.Op(ILOpCode.Conv_u);
        il.LoadLocal(body.MemoryBase);
        il.Op(ILOpCode.Add);
        WriteOffset(il, offset);
    }

    static void WriteOffset(IlWriter il, ulong offset)
    {
        if (offset == 0) return;
        if (offset <= int.MaxValue)
        {
            il.Constant((int)offset);
            il.Op(ILOpCode.Conv_i);
        }
        else
        {
            il.Constant((long)offset);
            il.Op(ILOpCode.Conv_u);
        }
        il.Op(ILOpCode.Add);
    }

    static (ILOpCode Code, ILOpCode Widen) LoadCode(Opcode opcode) => opcode switch
    {
        Opcode.I32Load => (ILOpCode.Ldind_i4, ILOpCode.Nop),
        Opcode.I64Load => (ILOpCode.Ldind_i8, ILOpCode.Nop),
        Opcode.F32Load => (ILOpCode.Ldind_r4, ILOpCode.Nop),
        Opcode.F64Load => (ILOpCode.Ldind_r8, ILOpCode.Nop),
        Opcode.I32Load8S => (ILOpCode.Ldind_i1, ILOpCode.Nop),
        Opcode.I32Load8U => (ILOpCode.Ldind_u1, ILOpCode.Nop),
        Opcode.I32Load16S => (ILOpCode.Ldind_i2, ILOpCode.Nop),
        Opcode.I32Load16U => (ILOpCode.Ldind_u2, ILOpCode.Nop),
        Opcode.I64Load8S => (ILOpCode.Ldind_i1, ILOpCode.Conv_i8),
        Opcode.I64Load8U => (ILOpCode.Ldind_u1, ILOpCode.Conv_u8),
        Opcode.I64Load16S => (ILOpCode.Ldind_i2, ILOpCode.Conv_i8),
        Opcode.I64Load16U => (ILOpCode.Ldind_u2, ILOpCode.Conv_u8),
        Opcode.I64Load32S => (ILOpCode.Ldind_i4, ILOpCode.Conv_i8),
        Opcode.I64Load32U => (ILOpCode.Ldind_u4, ILOpCode.Conv_u8),
        _ => throw new ArgumentOutOfRangeException(nameof(opcode), opcode, null),
    };

    static (bool Narrow, ILOpCode Code) StoreCode(Opcode opcode) => opcode switch
    {
        Opcode.I32Store => (false, ILOpCode.Stind_i4),
        Opcode.I64Store => (false, ILOpCode.Stind_i8),
        Opcode.F32Store => (false, ILOpCode.Stind_r4),
        Opcode.F64Store => (false, ILOpCode.Stind_r8),
        Opcode.I32Store8 => (false, ILOpCode.Stind_i1),
        Opcode.I32Store16 => (false, ILOpCode.Stind_i2),
        Opcode.I64Store8 => (true, ILOpCode.Stind_i1),
        Opcode.I64Store16 => (true, ILOpCode.Stind_i2),
        Opcode.I64Store32 => (true, ILOpCode.Stind_i4),
        _ => throw new ArgumentOutOfRangeException(nameof(opcode), opcode, null),
    };
}
