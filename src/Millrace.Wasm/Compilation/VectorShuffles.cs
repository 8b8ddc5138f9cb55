using System.Runtime.Intrinsics;
using Millrace.Wasm.Runtime;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// <c>i8x16.shuffle</c>: patterns that compilers emit and one instruction does; two table look-ups otherwise.
/// </summary>
static class VectorShuffles
{
    // By log2 of the width: low halves, then high halves.
    static readonly Operation[] Interleave =
    [
        Turns(typeof(byte), false, nameof(GuestShuffles.InterleaveLow8)),
        Turns(typeof(byte), true, nameof(GuestShuffles.InterleaveHigh8)),
        Turns(typeof(short), false, nameof(GuestShuffles.InterleaveLow16)),
        Turns(typeof(short), true, nameof(GuestShuffles.InterleaveHigh16)),
        Turns(typeof(int), false, nameof(GuestShuffles.InterleaveLow32)),
        Turns(typeof(int), true, nameof(GuestShuffles.InterleaveHigh32)),
        Turns(typeof(long), false, nameof(GuestShuffles.InterleaveLow64)),
        Turns(typeof(long), true, nameof(GuestShuffles.InterleaveHigh64)),
    ];

    static readonly Operation Window = Two(nameof(GuestShuffles.Window));
    static readonly Operation Pairs32 = Two(nameof(GuestShuffles.Pairs32));
    static readonly Operation Bytes = Table(typeof(byte));
    static readonly Operation Words = Table(typeof(int));

    /// <summary>A shuffle of two vectors, both of which it needs.</summary>
    public static Expression Of(Expression left, Expression right, Vector128<byte> lanes)
    {
        if (IsInterleave(lanes, out var form)) return Expression.Of(Interleave[form], left, right);
        var swapped = lanes ^ Vector128.Create((byte)16);
        if (IsInterleave(swapped, out form)) return Expression.Of(Interleave[form], right, left);
        if (IsWindow(lanes)) return WithNumber(Window, left, right, lanes[0]);
        if (IsWindow(swapped)) return WithNumber(Window, right, left, swapped[0]);
        if (Quads(lanes) is { } quads && PairsOf(quads) is { } pairs) return WithNumber(Pairs32, left, right, pairs);
        if (Quads(swapped) is { } other && PairsOf(other) is { } others)
            return WithNumber(Pairs32, right, left, others);
        if (((lanes ^ Vector128<byte>.Indices) & Vector128.Create((byte)15)) == Vector128<byte>.Zero)
            return Expression.Of(VectorOperations.Select, FromLeft(lanes), left, right);
        // A lane that is not of the operand gives 0.
        return Expression.Of(
            VectorOperations.Or,
            Expression.Of(Bytes, left, Expression.Constant(lanes)),
            Expression.Of(Bytes, right, Expression.Constant(lanes - Vector128.Create((byte)16))));
    }

    /// <summary>A shuffle of one vector; lanes beyond 15 are 0.</summary>
    public static Expression Of(Expression operand, Vector128<byte> lanes)
    {
        if (lanes == Vector128<byte>.Indices) return operand;
        if (Quads(lanes) is not { } quads || Vector128.GreaterThanAny(quads, Vector128.Create(3)))
            return Expression.Of(Bytes, operand, Expression.Constant(lanes));
        return Expression.Of(Words, operand, Expression.Constant(quads.AsByte()));
    }

    static bool IsInterleave(Vector128<byte> lanes, out int form)
    {
        for (form = 0; form < Interleave.Length; form++)
        {
            var (width, first) = (1 << (form >> 1), (form & 1) * 8);
            var i = 0;
            while (i < 16 && lanes[i] == first + i / (2 * width) * width + i % width + i / width % 2 * 16) i++;
            if (i == 16) return true;
        }
        return false;
    }

    static bool IsWindow(Vector128<byte> lanes) =>
        lanes[0] < 16 && lanes == Vector128<byte>.Indices + Vector128.Create(lanes[0]);

    // The lanes as four of 32 bits, if they are: 0 to 3 of the left vector, 4 to 7 of the right one.
    static Vector128<int>? Quads(Vector128<byte> lanes)
    {
        var quads = Vector128.Create(lanes[0] / 4, lanes[4] / 4, lanes[8] / 4, lanes[12] / 4);
        for (var i = 0; i < 16; i++)
            if (lanes[i] != quads[i / 4] * 4 + i % 4) return null;
        return quads;
    }

    static int? PairsOf(Vector128<int> quads) => quads[0] < 4 && quads[1] < 4 && quads[2] is >= 4 and < 8
        && quads[3] is >= 4 and < 8
            ? quads[0] | quads[1] << 2 | (quads[2] - 4) << 4 | (quads[3] - 4) << 6
            : null;

    static Expression FromLeft(Vector128<byte> lanes) =>
        Expression.Constant(Vector128.LessThan(lanes, Vector128.Create((byte)16)));

    static Expression WithNumber(Operation operation, Expression left, Expression right, int number) =>
        Expression.Of(operation, left, right, Expression.Constant(CilType.I32, (ulong)number));

    static Operation Two(string name) => Call(GuestMembers.Method(typeof(GuestShuffles), name));

    static Operation Turns(Type lane, bool isHigh, string name) =>
        X86Vectors.Interleave(lane, isHigh) is { } method ? Call(method) : Two(name);

    static Operation Call(System.Reflection.MethodInfo method) =>
        new(CilType.V128, []) { Vector = new VectorCall(method) };

    static Operation Table(Type lane) => new(CilType.V128, [])
    {
        Vector = new VectorCall(VectorOperations.Of(
            "Shuffle", VectorOperations.VectorOf(lane), VectorOperations.VectorOf(lane))),
    };
}
