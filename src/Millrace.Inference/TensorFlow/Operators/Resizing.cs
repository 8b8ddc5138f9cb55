using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Pictures of another size. There are three rules for what lies where.</summary>
static class Resizing
{
    public static readonly Operator[] Rows =
    [
        new("ResizeBilinear", Bilinear),
        new("ResizeNearestNeighbor", Nearest),
    ];

    static (bool Corners, bool Centers) Rules(Call c) => (c.Bool("align_corners", false), c.Bool("half_pixel_centers", false));

    static Value Bilinear(Call c)
    {
        var (e, (corners, centers)) = (c.E, Rules(c));
        var x = e.Transpose(e.Cast(c[0], TensorType.F32), 0, 3, 1, 2);
        var mode = corners ? "align_corners" : centers ? "half_pixel" : "asymmetric";
        var size = e.Longs(c[1]);
        var sizes = e.Sizes(e.SizeOf(x, 0), e.SizeOf(x, 1), size);
        var resized = e.Node("Resize", [x, null, null, sizes], TensorType.F32,
            [x.Size(0), x.Size(1), .. size.Partly.IsDefault ? [-1, -1] : size.Partly],
            new OnnxAttribute("mode", "linear"), new OnnxAttribute("coordinate_transformation_mode", mode));
        return e.Transpose(resized, 0, 2, 3, 1);
    }

    // Rows and columns are picked by numbers that are computed as TensorFlow does, in single precision: at a tie the last
    // digit decides.
    static Value Nearest(Call c)
    {
        var (e, size) = (c.E, c.E.Longs(c[1]));
        var rows = e.Gather(c[0], Places(c, e.SizeOf(c[0], 1), e.Slice(size, 0, 1, axis: 0)), axis: 1);
        return e.Gather(rows, Places(c, e.SizeOf(c[0], 2), e.Slice(size, 1, 2, axis: 0)), axis: 2);
    }

    static Value Places(Call c, Value from, Value to)
    {
        var (e, (corners, centers)) = (c.E, Rules(c));
        var one = e.Row(1);
        var whole = e.Div(Single(e, from), Single(e, to));
        var scale = whole;
        if (corners)
        {
            var between = e.Div(Single(e, e.Sub(from, one)), Single(e, e.Max(e.Sub(to, one), one)));
            scale = e.Where(e.Compare("Greater", to, one), between, whole);
        }

        var places = Single(e, e.Numbers(to));
        if (centers) places = e.Add(places, e.Scalar(0.5, TensorType.F32));
        places = e.Mul(places, scale);
        var floor = e.Map("Floor", places);
        if (corners)
        {
            // Half goes up.
            var isUpper = e.Map("Not", e.Compare("Less", e.Sub(places, floor), e.Scalar(0.5, TensorType.F32)));
            floor = e.Add(floor, e.Cast(isUpper, TensorType.F32));
        }

        return e.Min(e.Cast(floor, TensorType.I64), e.Sub(from, one));
    }

    static Value Single(Emitter e, Value x) => e.Cast(x, TensorType.F32);
}
