using System.Reflection;
using System.Runtime.Intrinsics;

namespace Millrace.Wasm.Compilation;

/// <summary>
/// A call of a method on vectors. A wasm vector is bytes in CIL; parameters and results with other lanes are
/// reinterpreted, which costs nothing.
/// </summary>
sealed class VectorCall
{
    static readonly Dictionary<Type, MethodInfo> FromBytes = LaneTypes.ToDictionary(lane => lane, lane => Cast(
        typeof(byte), lane));

    static readonly Dictionary<Type, MethodInfo> ToBytes = LaneTypes.ToDictionary(lane => lane, lane => Cast(
        lane, typeof(byte)));

    readonly MethodInfo _method;
    readonly MethodInfo?[] _casts;
    readonly MethodInfo? _resultCast;
    readonly bool _hasLane;

    public VectorCall(MethodInfo method, bool hasLane = false)
    {
        _method = method;
        _hasLane = hasLane;
        _casts = [.. method.GetParameters().Select(parameter => Find(FromBytes, parameter.ParameterType))];
        _resultCast = Find(ToBytes, method.ReturnType);
    }

    static Type[] LaneTypes =>
    [
        typeof(sbyte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong),
        typeof(float), typeof(double),
    ];

    /// <summary>Writes operands and call; the lane is the second parameter.</summary>
    public void Write(OperandStack stack, IlWriter il, ImageBuilder image, Expression call)
    {
        var next = 0;
        Operand(call.A);
        if (_hasLane)
        {
            il.Constant(call.Lane);
            next++;
        }
        Operand(call.B);
        Operand(call.C);
        Write(il, image);

        void Operand(Expression? operand)
        {
            if (operand is null) return;
            stack.WriteOperand(operand);
            WriteCast(il, image, _casts[next++]);
        }
    }

    /// <summary>Writes the call behind its operands, of which the last may still have to be reinterpreted.</summary>
    public void Write(IlWriter il, ImageBuilder image)
    {
        il.Call(image.Method(_method), _casts.Length, 1);
        WriteCast(il, image, _resultCast);
    }

    /// <summary>Writes the reinterpretation of the operand on the stack as that parameter.</summary>
    public void WriteCast(IlWriter il, ImageBuilder image, int parameter) => WriteCast(il, image, _casts[parameter]);

    static void WriteCast(IlWriter il, ImageBuilder image, MethodInfo? cast)
    {
        if (cast is null) return;
        var lane = cast.ReturnType.GenericTypeArguments[0];
        if (lane != typeof(byte) && il.TryTakeBackCall(image.Method(ToBytes[lane]))) return;
        il.Call(image.Method(cast), 1, 1);
    }

    static MethodInfo? Find(Dictionary<Type, MethodInfo> casts, Type type) =>
        type.IsGenericType ? casts.GetValueOrDefault(type.GenericTypeArguments[0]) : null;

    static MethodInfo Cast(Type from, Type to) =>
        GuestMembers.Method(typeof(Vector128), $"As{to.Name}").MakeGenericMethod(from);
}
