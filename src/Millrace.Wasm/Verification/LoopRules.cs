using System.Buffers.Binary;
using System.Reflection.Metadata;

namespace Millrace.Wasm.Verification;

/// <summary>
/// That every path is stopped: each place that a jump goes back to starts with a look at the interrupt request, and each
/// function that calls starts with a look at the stack. Both in the one form that the compiler writes.
/// </summary>
static class LoopRules
{
    /// <summary>At a loop's head: <c>ldarg context; volatile. ldfld InterruptRequest; brtrue</c> to the trap.</summary>
    public static void CheckInterrupt(MethodFrame frame, TrapPlaces traps, ReadOnlySpan<byte> code, int at)
    {
        var next = Argument(code, at, frame.Shape.ContextArgument);
        if (!TryField(code, ref next, frame.Members, MemberRole.InterruptRequest, out var isVolatile) || !isVolatile
            || !TryJump(code, ref next, ILOpCode.Brtrue, out var target)
            || traps.CodeAt(code, target) != (int)TrapCode.Interrupted)
        {
            frame.Contract.Refuse(ProofRule.Interrupts, "a loop that no interrupt stops");
        }
    }

    /// <summary>At the start of a function that calls: <c>ldloca; conv.u; ldarg context; ldfld StackLimit; blt.un</c> to
    /// the trap. Volatile where it calls in place of itself, for the JIT makes loops of such calls.</summary>
    public static void CheckPrologue(MethodFrame frame, CodeScan scan, TrapPlaces traps, ReadOnlySpan<byte> code)
    {
        if (frame.Shape.Kind != MethodKind.Function || !scan.HasCalls) return;
        var next = CodeScan.EndOf(code, 0, out var op, out _);
        var isFine = op is ILOpCode.Ldloca or ILOpCode.Ldloca_s && next < code.Length
            && (ILOpCode)code[next++] == ILOpCode.Conv_u;
        if (isFine) next = Argument(code, next, frame.Shape.ContextArgument);
        if (!isFine || !TryField(code, ref next, frame.Members, MemberRole.StackLimit, out var isVolatile)
            || (scan.HasTailCalls && !isVolatile) || !TryJump(code, ref next, ILOpCode.Blt_un, out var target)
            || traps.CodeAt(code, target) != (int)TrapCode.CallStackExhausted)
        {
            frame.Contract.Refuse(ProofRule.StackLook, "a function that calls and does not look at the stack");
        }
    }

    /// <summary>Behind <c>ldarg</c> of an argument; −1 where it is something else.</summary>
    public static int Argument(ReadOnlySpan<byte> code, int at, int argument)
    {
        if (at >= code.Length) return -1;
        var next = CodeScan.EndOf(code, at, out var op, out var operand);
        int? loaded = op switch
        {
            >= ILOpCode.Ldarg_0 and <= ILOpCode.Ldarg_3 => op - ILOpCode.Ldarg_0,
            ILOpCode.Ldarg_s => code[operand],
            ILOpCode.Ldarg => BinaryPrimitives.ReadUInt16LittleEndian(code[operand..]),
            _ => null,
        };
        return loaded == argument ? next : -1;
    }

    static bool TryField(ReadOnlySpan<byte> code, ref int at, MemberTable members, MemberRole role, out bool isVolatile)
    {
        isVolatile = false;
        if ((uint)at >= (uint)code.Length) return false;
        var next = CodeScan.EndOf(code, at, out var op, out var operand);
        if (op == ILOpCode.Volatile && next < code.Length)
        {
            isVolatile = true;
            next = CodeScan.EndOf(code, next, out op, out operand);
        }
        if (op != ILOpCode.Ldfld) return false;
        at = next;
        return members[BinaryPrimitives.ReadInt32LittleEndian(code[operand..])].Role == role;
    }

    static bool TryJump(ReadOnlySpan<byte> code, ref int at, ILOpCode wanted, out int target)
    {
        target = -1;
        if (at >= code.Length) return false;
        at = CodeScan.EndOf(code, at, out var op, out var operand);
        if (op != wanted) return false;
        target = at + BinaryPrimitives.ReadInt32LittleEndian(code[operand..]);
        return true;
    }
}

/// <summary>
/// Places that do nothing but trap. Known by their instructions, so that the many jumps to one need not be joined.
/// </summary>
sealed class TrapPlaces(MemberTable members, int contextArgument)
{
    const int NoTrap = -1;

    readonly Dictionary<int, int> _codes = [];

    public bool IsTrap(ReadOnlySpan<byte> code, int at) => CodeAt(code, at) != NoTrap;

    /// <summary>The trap's code; −1 where it is no such place.</summary>
    public int CodeAt(ReadOnlySpan<byte> code, int at)
    {
        if ((uint)at >= (uint)code.Length) return NoTrap;
        if (!_codes.TryGetValue(at, out var trap)) _codes[at] = trap = Read(code, at);
        return trap;
    }

    int Read(ReadOnlySpan<byte> code, int at)
    {
        var trap = (int)TrapCode.CallStackExhausted;
        var (role, next) = (MemberRole.TrapAtStackLimit, LoopRules.Argument(code, at, contextArgument));
        if (next < 0)
        {
            if (!TryConstant(code, ref at, out trap)) return NoTrap;
            role = TryConstant(code, ref at, out _) ? MemberRole.TrapAtSite : MemberRole.Trap;
            next = at;
        }
        if (next + 7 > code.Length || (ILOpCode)code[next] != ILOpCode.Call || code[next + 4] != 0x0A
            || (ILOpCode)code[next + 5] != ILOpCode.Ldnull || (ILOpCode)code[next + 6] != ILOpCode.Throw)
        {
            return NoTrap;
        }
        var member = members[BinaryPrimitives.ReadInt32LittleEndian(code[(next + 1)..])];
        return member.Role == role ? trap : NoTrap;
    }

    static bool TryConstant(ReadOnlySpan<byte> code, ref int at, out int value)
    {
        value = 0;
        if (at >= code.Length) return false;
        var next = CodeScan.EndOf(code, at, out var op, out var operand);
        switch (op)
        {
            case >= ILOpCode.Ldc_i4_m1 and <= ILOpCode.Ldc_i4_8: value = op - ILOpCode.Ldc_i4_0; break;
            case ILOpCode.Ldc_i4_s: value = (sbyte)code[operand]; break;
            case ILOpCode.Ldc_i4: value = BinaryPrimitives.ReadInt32LittleEndian(code[operand..]); break;
            default: return false;
        }
        at = next;
        return true;
    }
}
