using System.Reflection.Metadata;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Loads and stores with explicit bounds checks. Along straight code the check of an address in a local is left out
/// where one for at least as many bytes went before: memory never shrinks. Where pages guard the memory an access is its
/// own check, and happens in its place.
/// </summary>
sealed class MemoryAccess(FunctionBody body, OperandStack stack)
{
    // Of each memory that the function uses: by local, the bytes behind it that are known to be there.
    readonly List<Dictionary<int, ulong>> _checkedBytes = [];

    IlWriter Il => body.Il;

    /// <summary>Where code may be reached from elsewhere, nothing is known of earlier checks.</summary>
    public void ForgetChecks()
    {
        if (body.Module.Has(CompilerFault.KeepsChecksAtLabels)) return;
        foreach (var memory in _checkedBytes) memory.Clear();
    }

    /// <summary>After an assignment.</summary>
    public void ForgetChecks(int local)
    {
        if (body.Module.Has(CompilerFault.KeepsChecksOfAssigned)) return;
        foreach (var memory in _checkedBytes) memory.Remove(local);
    }

    /// <param name="row">The instruction.</param>
    /// <param name="memory">Where it loads from.</param>
    /// <param name="offset">Its offset.</param>
    /// <param name="lane">The lane that a vector gets it in.</param>
    /// <param name="isPartial">Whether what comes behind uses only a part of it.</param>
    public void Load(Instruction row, int memory, ulong offset, int lane, bool isPartial)
    {
        var vector = VectorMemory.IsLaneLoad(row.Opcode) ? stack.Pop() : null;
        var isGuarded = body.Memory(memory).IsGuarded;
        var address = stack.Pop();
        if (!isGuarded || isPartial) address = CheckedAddress(address, memory, offset, row.AccessBytes);
        stack.Push(Expression.Load(row.Opcode, CilTypes.Of(row.Results[0]), memory, address, offset, vector, lane));
        if (isGuarded) stack.SettleTop(1); // it traps by itself, in its place
    }

    public void Store(Instruction row, int memory, ulong offset, int lane)
    {
        var value = stack.Pop();
        var address = stack.Pop();
        // Where the second of two traps the first must have been made: the JIT would make one of both.
        var isGuarded = body.Memory(memory).IsGuarded;
        if (!isGuarded) address = CheckedAddress(address, memory, offset, row.AccessBytes);
        if (!body.Module.Has(CompilerFault.LoadsTooLate)) stack.SettleReadersOf(Reads.Memory);
        WriteAddress(body, stack, memory, address, offset);
        stack.WriteOperand(value);
        if (value.Type == CilType.V128)
        {
            VectorMemory.WriteStore(body, row.Opcode, lane, isGuarded);
            return;
        }
        var (narrow, code) = StoreCode(row.Opcode);
        if (row.Opcode == Opcode.I64Store16 && body.Module.Has(CompilerFault.StoresTooMuch)) code = ILOpCode.Stind_i4;
        if (narrow) Il.Op(ILOpCode.Conv_i4);
        Il.StoreIndirect(code, isVolatile: isGuarded);
    }

    /// <summary>The load itself; its check was written when it was met.</summary>
    public static void WriteLoad(FunctionBody body, OperandStack stack, Expression load)
    {
        if (load.B is not null) VectorMemory.WriteLaneOperand(body, stack, load);
        WriteAddress(body, stack, load.Index, load.A!, load.Bits);
        if (load.Type == CilType.V128)
        {
            VectorMemory.WriteLoad(body, load.Opcode);
            return;
        }
        var (code, widen) = LoadCode(load.Opcode);
        if (load.Opcode == Opcode.I32Load8S && body.Module.Has(CompilerFault.LoadsByteWithoutSign)) code = ILOpCode.Ldind_u1;
        body.Il.Op(code);
        if (widen != ILOpCode.Nop) body.Il.Op(widen);
    }

    /// <summary>Pages of a memory.</summary>
    public static void WriteSize(FunctionBody body, Expression size)
    {
        var memory = body.Memory(size.Index);
        body.LoadLength(memory);
        body.Il.Constant(16);
        body.Il.Op(ILOpCode.Shr_un);
        if (size.Type == CilType.I32) body.Il.Op(ILOpCode.Conv_i4);
    }

    /// <summary>Writes the check of an address, which is then written out again for the access.</summary>
    // Settled, because both need it; a local may stay one, for assignments settle its readers.
    public Expression CheckedAddress(Expression address, int index, ulong offset, int accessBytes)
    {
        var memory = body.Memory(body.Module.Lacks(SafetyCheck.OwnMemoryLength) ? 0 : index);
        if (address.Kind != ExpressionKind.Local) address = stack.Settled(address);
        if (body.Module.Lacks(SafetyCheck.MemoryBounds)) return address;
        if (body.Module.Has(CompilerFault.ChecksOneByteLess)) accessBytes--;
        if (body.Module.Has(CompilerFault.ChecksWithoutOffset)) offset = 0;
        var bytes = offset + (ulong)accessBytes;
        if (body.Module.Lacks(SafetyCheck.AddressSums))
        {
            WriteWrappingCheck(memory, address, bytes);
            return address;
        }
        if (bytes < offset)
        {
            // No address is as large: what follows is never reached.
            Il.Jump(ILOpCode.Br, body.Trap(TrapCode.OutOfBoundsMemoryAccess));
            return address;
        }
        switch (address.Kind)
        {
            case ExpressionKind.Constant: CheckConstant(memory, address.Bits, bytes); break;
            case ExpressionKind.Local: CheckLocal(memory, address, bytes); break;
            default: WriteCheck(memory, address, bytes); break;
        }
        return address;
    }

    void CheckLocal(MemoryRegisters memory, Expression local, ulong bytes)
    {
        while (_checkedBytes.Count <= memory.Slot) _checkedBytes.Add([]);
        var known = _checkedBytes[memory.Slot];
        var enough = body.Module.Lacks(SafetyCheck.CheckedBytes) ? 1 : bytes;
        if (known.GetValueOrDefault(local.Index) >= enough) return;
        WriteCheck(memory, local, bytes);
        known[local.Index] = bytes;
    }

    void CheckConstant(MemoryRegisters memory, ulong address, ulong bytes)
    {
        var end = address + bytes;
        if (end < address || end > long.MaxValue) // no memory is as large
        {
            Il.Jump(ILOpCode.Br, body.Trap(TrapCode.OutOfBoundsMemoryAccess));
            return;
        }
        if (end <= memory.BytesMin) return;
        Il.Constant((long)end);
        body.LoadLength(memory);
        Il.Jump(ILOpCode.Bgt_un, body.Trap(TrapCode.OutOfBoundsMemoryAccess));
    }

    // address > length - bytes: the difference does not change in a loop, so that only a compare is left there. It must
    // not be negative, hence the other form for what exceeds the memory's initial size.
    void WriteCheck(MemoryRegisters memory, Expression address, ulong bytes)
    {
        var outside = body.Trap(TrapCode.OutOfBoundsMemoryAccess);
        if (bytes > memory.BytesMin)
        {
            WriteLargeCheck(memory, address, bytes, outside);
            return;
        }
        stack.WriteCopy(address);
        if (!memory.Is64) Il.Op(ILOpCode.Conv_u8);
        WriteRoom(memory, bytes);
        Il.Jump(ILOpCode.Bgt_un, outside);
    }

    // A 32-bit address and the offset add up without overflow; for a 64-bit one the length is compared first.
    void WriteLargeCheck(MemoryRegisters memory, Expression address, ulong bytes, IlLabel outside)
    {
        if (memory.Is64)
        {
            Il.Constant((long)bytes);
            body.LoadLength(memory);
            Il.Jump(ILOpCode.Bgt_un, outside);
            stack.WriteCopy(address);
            WriteRoom(memory, bytes);
        }
        else
        {
            stack.WriteCopy(address);
            Il.Op(ILOpCode.Conv_u8);
            Il.Constant((long)bytes);
            Il.Op(ILOpCode.Add);
            body.LoadLength(memory);
        }
        Il.Jump(ILOpCode.Bgt_un, outside);
    }

    // The mistake that the other forms are made to avoid.
    void WriteWrappingCheck(MemoryRegisters memory, Expression address, ulong bytes)
    {
        stack.WriteCopy(address);
        if (memory.Is64) Il.Constant((long)bytes);
        else Il.Constant((int)bytes);
        Il.Op(ILOpCode.Add);
        if (!memory.Is64) Il.Op(ILOpCode.Conv_u8);
        body.LoadLength(memory);
        Il.Jump(ILOpCode.Bgt_un, body.Trap(TrapCode.OutOfBoundsMemoryAccess));
    }

    void WriteRoom(MemoryRegisters memory, ulong bytes)
    {
        body.LoadLength(memory);
        Il.Constant((long)bytes);
        Il.Op(ILOpCode.Sub);
    }

    /// <summary>The machine's address of what is accessed.</summary>
    public static void WriteAddress(FunctionBody body, OperandStack stack, int memory, Expression address, ulong offset)
    {
        var il = body.Il;
        var first = body.Memory(memory).Base;
        if (address.Kind == ExpressionKind.Constant)
        {
            il.LoadLocal(first);
            WriteOffset(il, address.Bits + offset);
            return;
        }
        stack.Write(address);
        il.Op(ILOpCode.Conv_u);
        il.LoadLocal(first);
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
