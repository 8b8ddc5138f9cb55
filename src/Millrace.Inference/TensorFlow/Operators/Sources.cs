using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Where tensors come from, and operators that pass them on.</summary>
static class Sources
{
    public static readonly Operator[] Rows =
    [
        new("Const", Constant),
        // Debugging aids and marks for training: nothing of them is left in a computation.
        new(["Identity", "StopGradient", "PreventGradient", "CheckNumerics", "Snapshot", "EnsureShape", "PlaceholderWithDefault",
            "DebugGradientIdentity", "PlaceholderV2WithDefault", "Print", "Copy"], c => c[0]),
        new("IdentityN", c => c.Inputs.ToArray()),
        new("Fill", c => c.E.Expand(c[1], c[0])),
        new("ZerosLike", c => Like(c, 0)),
        new("OnesLike", c => Like(c, 1)),
        new("Range", Range),
        new("LinSpace", LinSpace),
    ];

    static Value Constant(Call c) => c.E.Constant(c.E.Constants.Read(c.Tensor("value"), c.Node));

    static Value Like(Call c, int number) => c.E.Expand(c.E.Scalar(number, c[0].Type), c.E.ShapeOf(c[0]));

    static Value Range(Call c)
    {
        var (from, to, step) = (c[0], c[1], c[2]);
        const int KnownMax = 1024;
        if (from.IsKnown && to.IsKnown && step.IsKnown && step.Known[0] != 0)
        {
            var numbers = new List<long>();
            for (var at = from.Known[0]; step.Known[0] > 0 ? at < to.Known[0] : at > to.Known[0]; at += step.Known[0])
            {
                if (numbers.Count == KnownMax) return Computed(c);
                numbers.Add(at);
            }

            return c.E.Whole([numbers.Count], [.. numbers], from.Type);
        }

        return Computed(c);
    }

    static Value Computed(Call c) => Types.Widened(c, [TensorType.F32, TensorType.F64, TensorType.I32, TensorType.I64],
        inputs => c.E.Node("Range", inputs, inputs[0].Type, [-1]));

    static Value LinSpace(Call c)
    {
        var (e, type) = (c.E, c[0].Type);
        var count = e.Longs(c[2]);
        var steps = e.Max(e.Sub(count, e.Whole([], [1])), e.Whole([], [1]));
        var step = e.Div(e.Sub(c[1], c[0]), e.Cast(steps, type));
        return e.Add(c[0], e.Mul(e.Cast(e.Numbers(e.Reshape(count, e.Row(1))), type), step));
    }
}
