using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>ONNX Runtime has few operators for every type: the others are computed in a wider one.</summary>
static class Types
{
    /// <summary>What sums, products and orders are computed in. Halves go through single precision inside the engine.</summary>
    public static readonly TensorType[] Numbers =
        [TensorType.F32, TensorType.F16, TensorType.F64, TensorType.I32, TensorType.I64];

    /// <summary>Types of fractions.</summary>
    public static readonly TensorType[] Fractions = [TensorType.F32, TensorType.F16, TensorType.F64];

    /// <summary>Single precision, and halves through it.</summary>
    public static readonly TensorType[] Singles = [TensorType.F32, TensorType.F16];

    /// <summary>Computes in a type that the engine has, and gives the result in the inputs' own.</summary>
    public static Value Widened(Call c, TensorType[] allowed, Func<Value[], Value> compute) =>
        c.E.Cast(Compared(c, allowed, compute), c[0].Type);

    /// <summary>Computes in a type that the engine has.</summary>
    public static Value Compared(Call c, TensorType[] allowed, Func<Value[], Value> compute)
    {
        var wider = Wider(c, c[0].Type, allowed);
        return compute([.. c.Inputs.ToArray().Select(input => input.Type == c[0].Type ? c.E.Cast(input, wider) : input)]);
    }

    /// <summary>A type of those allowed that holds all numbers of another.</summary>
    public static TensorType Wider(Call c, TensorType type, TensorType[] allowed)
    {
        if (allowed.Contains(type)) return type;
        TensorType[] wider = type switch
        {
            TensorType.Bool or TensorType.U8 or TensorType.I8 or TensorType.U16 or TensorType.I16 => [TensorType.I32, TensorType.I64],
            TensorType.U32 or TensorType.I32 => [TensorType.I64],
            // Widening and rounding once more gives what single precision itself gives for one operation.
            TensorType.F32 or TensorType.F16 => [TensorType.F64],
            _ => [],
        };
        foreach (var candidate in wider)
        {
            if (allowed.Contains(candidate)) return candidate;
        }

        throw c.Refuse($"the type {type} is not supported");
    }
}
