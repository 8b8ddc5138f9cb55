using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Numbers rounded to what few bits can hold, as training for quantisation leaves them.</summary>
static class Quantizing
{
    public static readonly Operator[] Rows =
    [
        new("FakeQuantWithMinMaxArgs", c => Fake(
            c, c.E.Scalar(c.Float("min", -6), TensorType.F32), c.E.Scalar(c.Float("max", 6), TensorType.F32))),
        new(["FakeQuantWithMinMaxVars", "FakeQuantWithMinMaxVarsPerChannel"], c => Fake(c, c[1], c[2])),
    ];

    // The range is moved so that 0 is one of the steps.
    static Value Fake(Call c, Value min, Value max)
    {
        var bits = c.Int("num_bits", 8);
        if (bits is < 2 or > 16 || c[0].Type != TensorType.F32) throw c.Refuse($"{bits} bits of {c[0].Type}");
        var e = c.E;
        Value Number(double number) => e.Scalar(number, TensorType.F32);
        var (first, last) = (c.Bool("narrow_range", false) ? 1 : 0, (1 << (int)bits) - 1);
        var scale = e.Div(e.Sub(max, min), Number(last - first));
        var zero = e.Map("Floor", e.Add(e.Sub(Number(first), e.Div(min, scale)), Number(0.5)));
        zero = e.Min(e.Max(zero, Number(first)), Number(last));
        var (low, high) = (e.Mul(e.Sub(Number(first), zero), scale), e.Mul(e.Sub(Number(last), zero), scale));
        var inside = e.Sub(e.Max(e.Min(c[0], high), low), low);
        var step = e.Map("Floor", e.Add(e.Mul(inside, e.Div(Number(1), scale)), Number(0.5)));
        var isNothing = e.Compare("And", e.Compare("Equal", min, Number(0)), e.Compare("Equal", max, Number(0)));
        return e.Where(isNothing, Number(0), e.Add(e.Mul(step, scale), low));
    }
}
