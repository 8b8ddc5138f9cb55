using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Boxes cut out of pictures, and resized.</summary>
static class Cropping
{
    public static readonly Operator[] Rows = [new("CropAndResize", CropAndResize)];

    /// <summary>Along one axis: where each sample lies, and whether that is inside the picture. A row of samples a box.</summary>
    sealed record Samples(Value Places, Value IsInside, Value Last);

    static Value CropAndResize(Call c)
    {
        var (e, method) = (c.E, c.Text("method", "bilinear"));
        var picture = e.Cast(c[0], TensorType.F32);
        var (boxes, size) = (c[1], e.Longs(c[3]));
        var rows = Along(e, boxes, 0, e.SizeOf(picture, 1), e.Slice(size, 0, 1, axis: 0));
        var columns = Along(e, boxes, 1, e.SizeOf(picture, 2), e.Slice(size, 1, 2, axis: 0));
        // Axes from here on: box, row, column.
        var batch = e.Unsqueeze(e.Longs(c[2]), 1, 2);
        var (y, x) = (e.Unsqueeze(rows.Places, 2), e.Unsqueeze(columns.Places, 1));
        var picked = method switch
        {
            "bilinear" => Blend(e, picture, batch, y, x, rows.Last, columns.Last),
            "nearest" => Pick(e, picture, batch, Half(e, y), Half(e, x), rows.Last, columns.Last),
            _ => throw c.Refuse($"the method {method} is not known"),
        };
        var isInside = e.Compare("And", e.Unsqueeze(rows.IsInside, 2), e.Unsqueeze(columns.IsInside, 1));
        var outside = e.Scalar(c.Float("extrapolation_value", 0), TensorType.F32);
        return e.Where(e.Unsqueeze(isInside, 3), picked, outside);
    }

    static Samples Along(Emitter e, Value boxes, int axis, Value length, Value count)
    {
        var (one, last) = (e.Row(1), e.Cast(e.Sub(length, e.Row(1)), TensorType.F32));
        var from = e.Slice(boxes, axis, axis + 1, axis: 1);
        var to = e.Slice(boxes, axis + 2, axis + 3, axis: 1);
        var steps = e.Cast(e.Max(e.Sub(count, one), one), TensorType.F32);
        var step = e.Div(e.Mul(e.Sub(to, from), last), steps);
        var spread = e.Add(e.Mul(from, last), e.Mul(e.Unsqueeze(e.Cast(e.Numbers(count), TensorType.F32), 0), step));
        // A single sample lies in the middle of its box.
        var middle = e.Mul(e.Mul(e.Add(from, to), e.Scalar(0.5, TensorType.F32)), last);
        var places = e.Where(e.Compare("Greater", count, one), spread, middle);
        var isBelow = e.Compare("Less", places, e.Scalar(0, TensorType.F32));
        return new(places, e.Map("Not", e.Compare("Or", isBelow, e.Compare("Greater", places, last))), last);
    }

    static Value Blend(Emitter e, Value picture, Value batch, Value y, Value x, Value lastRow, Value lastColumn)
    {
        var (top, left) = (e.Map("Floor", y), e.Map("Floor", x));
        var (bottom, right) = (e.Map("Ceil", y), e.Map("Ceil", x));
        var across = e.Unsqueeze(e.Sub(x, left), 3);
        var upper = Between(e, Pick(e, picture, batch, top, left, lastRow, lastColumn),
            Pick(e, picture, batch, top, right, lastRow, lastColumn), across);
        var lower = Between(e, Pick(e, picture, batch, bottom, left, lastRow, lastColumn),
            Pick(e, picture, batch, bottom, right, lastRow, lastColumn), across);
        return Between(e, upper, lower, e.Unsqueeze(e.Sub(y, top), 3));
    }

    static Value Between(Emitter e, Value x, Value y, Value part) => e.Add(x, e.Mul(e.Sub(y, x), part));

    // Halves are rounded away from 0; what is below 0 lies outside.
    static Value Half(Emitter e, Value x) => e.Map("Floor", e.Add(x, e.Scalar(0.5, TensorType.F32)));

    // What lies outside is not used, but its place must exist.
    static Value Pick(Emitter e, Value picture, Value batch, Value y, Value x, Value lastRow, Value lastColumn)
    {
        var (row, column) = (Clamped(e, y, lastRow), Clamped(e, x, lastColumn));
        var shape = e.ShapeOf(e.Add(e.Add(batch, row), column));
        Value[] places = [.. new[] { batch, row, column }.Select(place => e.Unsqueeze(e.Expand(place, shape), 3))];
        return Selecting.GatherNd(e, picture, e.Concat(places, axis: 3));
    }

    static Value Clamped(Emitter e, Value x, Value last) =>
        e.Cast(e.Max(e.Min(x, last), e.Scalar(0, TensorType.F32)), TensorType.I64);
}
