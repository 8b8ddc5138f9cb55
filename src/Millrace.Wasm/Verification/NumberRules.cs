using System.Reflection.Metadata;

namespace Millrace.Wasm.Verification;

/// <summary>
/// Arithmetic, comparisons and conversions. They take numbers alone, so that no address or object becomes one; what is
/// made of lengths and indexes keeps what a later check needs.
/// </summary>
static class NumberRules
{
    public static void Binary(MethodFrame frame, ILOpCode op)
    {
        var (right, left) = (frame.Pop(), frame.Pop());
        if (left.IsInt32 && right.IsInt32) frame.Push(OfInt32(frame, op, left, right));
        else if (left.IsInt64 && right.IsInt64) frame.Push(OfInt64(op, left, right));
        else if (left.Kind == right.Kind && left.Kind is Kind.Single or Kind.Double && IsFloat(op)) frame.Push(left.Kind);
        else if (op == ILOpCode.Add) frame.Push(Address(left, right));
        else throw new Refusal($"{op} of {left.Kind} and {right.Kind}");
    }

    public static void Shift(MethodFrame frame)
    {
        frame.PopInt32();
        var value = frame.Pop();
        if (!value.IsInt32 && !value.IsInt64) throw new Refusal($"a shift of {value.Kind}");
        frame.Push(value.IsInt32 ? Kind.Int32 : Kind.Int64);
    }

    public static void Negate(MethodFrame frame)
    {
        var value = frame.Pop();
        if (value.IsInt32) frame.Push(Kind.Int32);
        else if (value.IsInt64) frame.Push(Kind.Int64);
        else if (value.Kind is Kind.Single or Kind.Double) frame.Push(value.Kind);
        else throw new Refusal($"the negative of {value.Kind}");
    }

    public static void Compare(MethodFrame frame, ILOpCode op)
    {
        CheckComparable(frame.Pop(), frame.Pop(), op is ILOpCode.Ceq or ILOpCode.Cgt_un);
        frame.Push(Kind.Int32);
    }

    /// <summary>Numbers of one type; references may be equal or not.</summary>
    public static void CheckComparable(Operand right, Operand left, bool mayBeObjects)
    {
        var isFine = (left.IsInt32 && right.IsInt32) || (left.IsInt64 && right.IsInt64)
            || (left.Kind == right.Kind
                && (left.Kind is Kind.Single or Kind.Double || (left.Kind == Kind.Object && mayBeObjects)));
        if (!isFine) throw new Refusal($"a comparison of {left.Kind} and {right.Kind}");
    }

    public static void Convert(MethodFrame frame, ILOpCode op)
    {
        var value = frame.Pop();
        frame.Push(op switch
        {
            ILOpCode.Conv_i1 or ILOpCode.Conv_u1 or ILOpCode.Conv_i2 or ILOpCode.Conv_u2
                when value.IsInt32 || value.IsInt64 => new(Kind.Int32),
            ILOpCode.Conv_i4 or ILOpCode.Conv_u4 when value.IsInt32 => value,
            ILOpCode.Conv_i4 or ILOpCode.Conv_u4 when value.Kind == Kind.Int64Slot =>
                new(Kind.Int32Low, 0, value.Slot),
            ILOpCode.Conv_i4 or ILOpCode.Conv_u4 when value.Kind == Kind.Int64Constant =>
                new(Kind.Int32Constant, 0, -1, (uint)value.Number),
            ILOpCode.Conv_i4 or ILOpCode.Conv_u4 when value.IsInt64 || value.Kind == Kind.NativeNumber =>
                new(Kind.Int32),
            ILOpCode.Conv_i8 or ILOpCode.Conv_u8 when value.IsInt64 => value,
            ILOpCode.Conv_i8 when value.IsInt32 => Widened(value, isSigned: true),
            ILOpCode.Conv_u8 when value.IsInt32 => Widened(value, isSigned: false),
            ILOpCode.Conv_u8 when value.Kind == Kind.NativeNumber => new(Kind.Int64),
            ILOpCode.Conv_r4 when IsNumeric(value) => new(Kind.Single),
            ILOpCode.Conv_r8 when IsNumeric(value) => new(Kind.Double),
            ILOpCode.Conv_u => Index(value),
            ILOpCode.Conv_i when value.Kind == Kind.Int32Constant => new(Kind.IndexConstant, 0, -1, Signed(value)),
            _ => throw new Refusal($"{op} of {value.Kind}"),
        });
    }

    static bool IsNumeric(Operand value) =>
        value.IsInt32 || value.IsInt64 || value.Kind is Kind.Single or Kind.Double;

    static bool IsFloat(ILOpCode op) => op is ILOpCode.Add or ILOpCode.Sub or ILOpCode.Mul or ILOpCode.Div;

    static ulong Signed(Operand constant) => (ulong)(int)(uint)constant.Number;

    static Operand Widened(Operand value, bool isSigned) => value.Kind switch
    {
        Kind.Int32Constant => new(Kind.Int64Constant, 0, -1, isSigned ? Signed(value) : (uint)value.Number),
        Kind.Int32Slot when !isSigned => new(Kind.Extended, 0, value.Slot),
        _ => new(Kind.Int64),
    };

    // conv.u: 32 bits are zero-extended.
    static Operand Index(Operand value) => value.Kind switch
    {
        Kind.Int32Constant => new(Kind.IndexConstant, 0, -1, (uint)value.Number),
        Kind.Int64Constant => new(Kind.IndexConstant, 0, -1, value.Number),
        Kind.Int32Slot or Kind.Extended => new(Kind.Index32, 0, value.Slot),
        Kind.Int64Slot => new(Kind.Index64, 0, value.Slot),
        Kind.LocalAddress => new(Kind.StackAddress),
        _ when value.IsInt32 => new(Kind.Index32),
        _ when value.IsInt64 => new(Kind.Index64),
        _ => throw new Refusal($"an address made of {value.Kind}"),
    };

    static Operand OfInt32(MethodFrame frame, ILOpCode op, Operand left, Operand right) => (op, left.Kind, right.Kind) switch
    {
        (ILOpCode.Add, Kind.Int32Slot, Kind.Int32Constant) or (ILOpCode.Add, Kind.Int32Low, Kind.Int32Constant) =>
            new(Kind.Int32Low, 0, left.Slot, (uint)(left.Number + right.Number)),
        (ILOpCode.And, Kind.Int32Slot or Kind.Int32Low, Kind.Int32Constant) =>
            new(Kind.AlignmentTest, (int)(uint)right.Number, left.Slot, left.Number),
        // Of constants: slot −2 stands for them.
        (ILOpCode.And, Kind.Int32Constant, Kind.Int32Constant) =>
            new(Kind.AlignmentTest, (int)(uint)right.Number, -2, left.Number),
        (ILOpCode.Add, Kind.Int32Constant, Kind.Int32Constant) =>
            new(Kind.Int32Constant, 0, -1, (uint)(left.Number + right.Number)),
        (ILOpCode.Or, Kind.FilterAnswer, Kind.FilterAnswer) =>
            new(Kind.FilterAnswer, frame.References.UnionOfTags(left.Of, right.Of)),
        _ => new(Kind.Int32),
    };

    static Operand OfInt64(ILOpCode op, Operand left, Operand right) => (op, left.Kind, right.Kind) switch
    {
        (ILOpCode.Sub, Kind.Length, Kind.Int64Constant) => new(Kind.Room, left.Of, -1, right.Number),
        (ILOpCode.Add, Kind.Extended, Kind.Int64Constant) when right.Number <= long.MaxValue =>
            new(Kind.End, 0, left.Slot, right.Number),
        (ILOpCode.Sub, Kind.FuelValue, Kind.Int64Constant) when right.Number <= long.MaxValue => new(Kind.FuelLeft),
        _ => new(Kind.Int64),
    };

    static Operand Address(Operand left, Operand right) => (left.Kind, right.Kind) switch
    {
        (Kind.Index32, Kind.MemoryBase) => new(Kind.Address32, right.Of, left.Slot),
        (Kind.Index64, Kind.MemoryBase) => new(Kind.Address64, right.Of, left.Slot),
        (Kind.MemoryBase, Kind.IndexConstant) => new(Kind.AddressConstant, left.Of, -1, right.Number),
        (Kind.IndexConstant, Kind.MemoryBase) => new(Kind.AddressConstant, right.Of, -1, left.Number),
        (Kind.Address32 or Kind.Address64 or Kind.AddressConstant or Kind.Cells, Kind.IndexConstant)
            when left.Number + right.Number >= left.Number => left with { Number = left.Number + right.Number },
        _ => throw new Refusal($"the sum of {left.Kind} and {right.Kind}"),
    };
}
