using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Comparisons and logic: their results are one byte, 0 or 1.</summary>
static class Comparisons
{
    public static Kernel Equal(Node node) => Compare(node, static order => order == 0, isEquality: true);

    public static Kernel NotEqual(Node node) => Compare(node, static order => order != 0, isEquality: true);

    public static Kernel Greater(Node node) => Compare(node, static order => order == 1);

    public static Kernel GreaterEqual(Node node) => Compare(node, static order => order is 0 or 1);

    public static Kernel Less(Node node) => Compare(node, static order => order == -1);

    public static Kernel LessEqual(Node node) => Compare(node, static order => order is 0 or -1);

    public static Kernel And(Node node) => Logic(node, static call => Stretching.Apply<byte, byte, AndOf>(call, default));

    public static Kernel Or(Node node) => Logic(node, static call => Stretching.Apply<byte, byte, OrOf>(call, default));

    public static Kernel Not(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Bool);
        return static call =>
        {
            var input = call.Input(0);
            var x = input.Read<byte>();
            var y = call.Output(0, input.Shape).Write<byte>();
            for (var i = 0; i < y.Length; i++) y[i] = (byte)(x[i] == 0 ? 1 : 0);
        };
    }

    static Kernel Logic(Node node, Kernel kernel)
    {
        node.RequireType(node.Input(0), LiteType.Bool);
        node.RequireType(node.Input(1), LiteType.Bool);
        return kernel;
    }

    static Kernel Compare(Node node, Func<int, bool> holds, bool isEquality = false)
    {
        node.RequireSameType(node.Input(0), node.Input(1));
        node.RequireType(node.Output(0), LiteType.Bool);
        if (isEquality && node.Type == LiteType.Bool) return Run<byte>(holds);
        if (Arithmetic.IsQuantized(node)) return Quantized(node, holds);
        return node.Type switch
        {
            LiteType.Float32 => Run<float>(holds),
            LiteType.Int32 => Run<int>(holds),
            LiteType.Int64 => Run<long>(holds),
            LiteType.UInt8 => Run<byte>(holds),
            LiteType.Int8 => Run<sbyte>(holds),
            LiteType.Int16 => Run<short>(holds),
            _ => throw node.Refuse($"of {node.Type}"),
        };
    }

    static Kernel Run<T>(Func<int, bool> holds) where T : unmanaged, INumber<T>
    {
        var table = new Table(holds);
        return call => Stretching.Apply<T, byte, Ordered<T>>(call, new Ordered<T>(table));
    }

    static Kernel Quantized(Node node, Func<int, bool> holds)
    {
        var (a, b) = (node.QuantizedInput(0), node.QuantizedInput(1));
        var table = new Table(holds);
        var (left, right) = (Multiplier.Of(a.Scale), Multiplier.Of(b.Scale));
        return node.Type switch
        {
            LiteType.Int8 => call =>
                Stretching.Apply<sbyte, byte, Scaled<sbyte>>(call, new Scaled<sbyte>(a.ZeroPoint, left, b.ZeroPoint, right, table)),
            LiteType.UInt8 => call =>
                Stretching.Apply<byte, byte, Scaled<byte>>(call, new Scaled<byte>(a.ZeroPoint, left, b.ZeroPoint, right, table)),
            _ => throw node.Refuse("of quantized Int16"),
        };
    }

    /// <summary>What is answered to less, equal, greater and unordered.</summary>
    readonly struct Table(Func<int, bool> holds)
    {
        readonly byte _less = One(holds(-1));
        readonly byte _equal = One(holds(0));
        readonly byte _greater = One(holds(1));
        readonly byte _unordered = One(holds(2));

        public byte Of<T>(T a, T b) where T : INumber<T> => a < b ? _less : a > b ? _greater : a == b ? _equal : _unordered;

        static byte One(bool value) => (byte)(value ? 1 : 0);
    }

    readonly struct Ordered<T>(Table table) : IBinary<T, byte> where T : INumber<T>
    {
        public byte Apply(T a, T b) => table.Of(a, b);
    }

    readonly struct Scaled<T>(int zeroA, Multiplier left, int zeroB, Multiplier right, Table table) : IBinary<T, byte> where T : INumber<T>
    {
        const int Left = 8;

        public byte Apply(T a, T b) => table.Of(
            left.Apply((int.CreateTruncating(a) - zeroA) << Left), right.Apply((int.CreateTruncating(b) - zeroB) << Left));
    }

    readonly struct AndOf : IBinary<byte, byte>
    {
        public byte Apply(byte a, byte b) => (byte)(a != 0 && b != 0 ? 1 : 0);
    }

    readonly struct OrOf : IBinary<byte, byte>
    {
        public byte Apply(byte a, byte b) => (byte)(a != 0 || b != 0 ? 1 : 0);
    }
}
