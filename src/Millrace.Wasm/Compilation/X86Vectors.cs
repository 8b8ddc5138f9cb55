using System.Reflection;
using System.Runtime.Intrinsics.X86;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// What is one x86 instruction is called directly where this CPU has it, with the result that <see cref="GuestVectors"/>
/// gives: the JIT stops inlining in functions with more than 512 locals, which the inlined methods have too.
/// </summary>
static class X86Vectors
{
    /// <summary>The method for an instruction, if there is one.</summary>
    public static MethodInfo? Find(Opcode opcode) => opcode switch
    {
        Opcode.I8x16AvgrU when Sse2.IsSupported => Sse2Method("Average", typeof(byte), typeof(byte)),
        Opcode.I16x8AvgrU when Sse2.IsSupported => Sse2Method("Average", typeof(ushort), typeof(ushort)),
        Opcode.I32x4DotI16x8S when Sse2.IsSupported =>
            Sse2Method("MultiplyAddAdjacent", typeof(short), typeof(short)),
        Opcode.I8x16NarrowI16x8U when Sse2.IsSupported =>
            Sse2Method("PackUnsignedSaturate", typeof(short), typeof(short)),
        Opcode.I16x8NarrowI32x4U when Sse41.IsSupported =>
            Method(typeof(Sse41), "PackUnsignedSaturate", typeof(int), typeof(int)),
        Opcode.F64x2ConvertLowI32x4S when Sse2.IsSupported => Sse2Method("ConvertToVector128Double", typeof(int)),
        Opcode.F32x4DemoteF64x2Zero when Sse2.IsSupported => Sse2Method("ConvertToVector128Single", typeof(double)),
        _ => null,
    };

    /// <summary>The choice of the lesser or greater lane, which takes the second operand first; null without it.</summary>
    public static MethodInfo? FindChoice(Opcode opcode) => opcode switch
    {
        _ when !Sse2.IsSupported => null,
        Opcode.F32x4Pmin => Method(typeof(Sse), "Min", typeof(float), typeof(float)),
        Opcode.F32x4Pmax => Method(typeof(Sse), "Max", typeof(float), typeof(float)),
        Opcode.F64x2Pmin => Sse2Method("Min", typeof(double), typeof(double)),
        Opcode.F64x2Pmax => Sse2Method("Max", typeof(double), typeof(double)),
        _ => null,
    };

    /// <summary>By turns lanes of that type of two vectors, from their lower or upper halves.</summary>
    public static MethodInfo? Interleave(Type lane, bool isHigh) =>
        Sse2.IsSupported ? Sse2Method(isHigh ? "UnpackHigh" : "UnpackLow", lane, lane) : null;

    static MethodInfo Sse2Method(string name, params Type[] lanes) => Method(typeof(Sse2), name, lanes);

    static MethodInfo Method(Type type, string name, params Type[] lanes) =>
        type.GetMethod(name, BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly,
            [.. lanes.Select(VectorOperations.VectorOf)])
        ?? throw new MissingMethodException(type.Name, name);
}
