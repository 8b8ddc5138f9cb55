using System.Reflection.Metadata;
using System.Runtime.Intrinsics;
using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Compilation;

/// <summary>What loads and stores of vectors do beside the address: see <see cref="MemoryAccess"/>.</summary>
static class VectorMemory
{
    static readonly VectorCall[] SplatOf =
    [
        new(VectorOperations.Of("Create", typeof(byte))), new(VectorOperations.Of("Create", typeof(short))),
        new(VectorOperations.Of("Create", typeof(int))), new(VectorOperations.Of("Create", typeof(long))),
    ];

    static readonly VectorCall ScalarOf32 = new(VectorOperations.Of("CreateScalar", typeof(int)));
    static readonly VectorCall ScalarOf64 = new(VectorOperations.Of("CreateScalar", typeof(long)));

    static readonly VectorCall[] Widen =
    [
        WidenOf(typeof(sbyte)), WidenOf(typeof(byte)), WidenOf(typeof(short)), WidenOf(typeof(ushort)),
        WidenOf(typeof(int)), WidenOf(typeof(uint)),
    ];

    static readonly VectorCall[] WithElement = [.. Lanes.Select(lane => LaneCall("WithElement", lane))];
    static readonly VectorCall[] GetElement = [.. Lanes.Select(lane => LaneCall("GetElement", lane))];

    static Type[] Lanes => [typeof(byte), typeof(short), typeof(int), typeof(long)];

    /// <summary>Whether it puts what it loads into a lane of an operand.</summary>
    public static bool IsLaneLoad(Opcode opcode) => opcode is >= Opcode.V128Load8Lane and <= Opcode.V128Load64Lane;

    public static bool IsLaneStore(Opcode opcode) => opcode is >= Opcode.V128Store8Lane and <= Opcode.V128Store64Lane;

    /// <summary>Writes the vector that a lane load changes, and the lane: before the address.</summary>
    public static void WriteLaneOperand(FunctionBody body, OperandStack stack, Expression load)
    {
        stack.WriteOperand(load.B!);
        WithElement[load.Opcode - Opcode.V128Load8Lane].WriteCast(body.Il, body.Module.Image, 0);
        body.Il.Constant(load.Lane);
    }

    /// <summary>Writes the load behind its address.</summary>
    public static void WriteLoad(FunctionBody body, Opcode opcode)
    {
        var (il, image) = (body.Il, body.Module.Image);
        switch (opcode)
        {
            case Opcode.V128Load: il.LoadObject(image.TypeToken(typeof(Vector128<byte>))); break;
            case >= Opcode.V128Load8x8S and <= Opcode.V128Load32x2U:
                il.Op(ILOpCode.Ldind_i8);
                ScalarOf64.Write(il, image);
                Widen[opcode - Opcode.V128Load8x8S].WriteCast(il, image, 0);
                Widen[opcode - Opcode.V128Load8x8S].Write(il, image);
                break;
            case >= Opcode.V128Load8Splat and <= Opcode.V128Load64Splat:
                il.Op(LoadCode(opcode - Opcode.V128Load8Splat));
                SplatOf[opcode - Opcode.V128Load8Splat].Write(il, image);
                break;
            case Opcode.V128Load32Zero:
                il.Op(ILOpCode.Ldind_i4);
                ScalarOf32.Write(il, image);
                break;
            case Opcode.V128Load64Zero:
                il.Op(ILOpCode.Ldind_i8);
                ScalarOf64.Write(il, image);
                break;
            default:
                il.Op(LoadCode(opcode - Opcode.V128Load8Lane));
                WithElement[opcode - Opcode.V128Load8Lane].Write(il, image);
                break;
        }
    }

    /// <summary>Writes the store behind address and vector.</summary>
    public static void WriteStore(FunctionBody body, Opcode opcode, int lane, bool isGuarded)
    {
        var (il, image) = (body.Il, body.Module.Image);
        if (opcode == Opcode.V128Store)
        {
            il.StoreObject(image.TypeToken(typeof(Vector128<byte>)), isVolatile: isGuarded);
            return;
        }
        var get = GetElement[opcode - Opcode.V128Store8Lane];
        get.WriteCast(il, image, 0);
        il.Constant(lane);
        get.Write(il, image);
        var code = opcode switch
        {
            Opcode.V128Store8Lane => ILOpCode.Stind_i1,
            Opcode.V128Store16Lane => ILOpCode.Stind_i2,
            Opcode.V128Store32Lane => ILOpCode.Stind_i4,
            _ => ILOpCode.Stind_i8,
        };
        il.StoreIndirect(code, isVolatile: isGuarded);
    }

    static ILOpCode LoadCode(int log2) => log2 switch
    {
        0 => ILOpCode.Ldind_u1,
        1 => ILOpCode.Ldind_i2,
        2 => ILOpCode.Ldind_i4,
        _ => ILOpCode.Ldind_i8,
    };

    static VectorCall WidenOf(Type lane) => new(VectorOperations.Of("WidenLower", VectorOperations.VectorOf(lane)));

    static VectorCall LaneCall(string name, Type lane) => new(VectorOperations.Generic(name, lane), hasLane: true);
}
