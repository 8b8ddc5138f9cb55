using System.Reflection.Metadata;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// Counts instructions in engines that meter: code that control enters at its start alone is paid for there, as a
/// whole. What it costs depends on the module alone; <c>else</c> and <c>end</c> are free. Writes nothing otherwise.
/// </summary>
sealed class FuelMeter(FunctionBody body)
{
    readonly bool _isOn = body.Module.IsMetered;
    bool _isPaid; // whether the region's charge is written
    int _chargeAt;
    int _count;
    int _cell;
    int _left;

    IlWriter Il => body.Il;

    /// <summary>At a function's start.</summary>
    public void Begin()
    {
        (_isPaid, _count) = (false, 0);
        if (!_isOn) return;
        _cell = body.Pool.Declare(typeof(long*));
        _left = body.Pool.Declare(typeof(long));
        body.LoadContext();
        Il.LoadField(body.Module.Image.Field(GuestMembers.FuelCell));
        Il.StoreLocal(_cell);
    }

    /// <summary>Where control may come from elsewhere, or go elsewhere.</summary>
    public void EndRegion()
    {
        if (_isPaid) Il.Patch(_chargeAt, _count);
        (_isPaid, _count) = (false, 0);
    }

    /// <summary>Before an instruction that can be reached.</summary>
    public void Count(Opcode opcode)
    {
        if (!_isOn || opcode is Opcode.Else or Opcode.End) return;
        if (!_isPaid) Charge();
        _count++;
    }

    // The amount is written when the region is known to its end.
    void Charge()
    {
        _isPaid = true;
        Il.LoadLocal(_cell);
        Il.LoadLocal(_cell);
        Il.Op(ILOpCode.Ldind_i8);
        _chargeAt = Il.PatchedConstant();
        Il.Op(ILOpCode.Conv_i8);
        Il.Op(ILOpCode.Sub);
        Il.Op(ILOpCode.Dup);
        Il.StoreLocal(_left);
        Il.Op(ILOpCode.Stind_i8);
        Il.LoadLocal(_left);
        Il.Constant(0L);
        Il.Jump(ILOpCode.Blt, body.Trap(TrapCode.OutOfFuel));
    }
}
