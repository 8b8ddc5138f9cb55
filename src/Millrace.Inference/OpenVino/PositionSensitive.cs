using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Pooling of regions where each place of the result has input channels of its own.</summary>
sealed class PositionSensitive
{
    public static readonly ImmutableArray<Operator> Rows = [new("PSROIPooling", 1, c => new PositionSensitive(c).Convert())];

    readonly Conversion _c;
    readonly string _batch;
    readonly long _channels, _height, _width, _depth, _side;
    readonly float _scale;

    PositionSensitive(Conversion c)
    {
        _c = c;
        if (c.TypeOf(0) is not (TensorType.F32 or TensorType.F16)) throw c.Layer.Refused($"on {c.TypeOf(0)}");
        if (c.SizesOf(0) is not [_, >= 0 and var channels, >= 1 and var height, >= 1 and var width])
            throw c.Layer.Refused("with open sizes");
        (_channels, _height, _width) = (channels, height, width);
        (_depth, _side, _scale) = (c.Int("output_dim"), c.Int("group_size"), (float)c.Float("spatial_scale", 1));
        if (_depth < 1 || _side < 1) throw c.Layer.Malformed("output_dim or group_size is below 1");
        c.Bounded(c.Bounded(_depth * c.Bounded(_side)) * _side);
        _batch = c.Reshape(c.As(Column(0), TensorType.F32, TensorType.I64), -1, 1, 1, 1);
    }

    string Convert()
    {
        var pooled = _c.Text("mode", "average") switch
        {
            "average" => Average(),
            "bilinear" => Bilinear(),
            var mode => throw _c.Layer.Malformed($"mode is {mode}"),
        };
        return _c.As(pooled, TensorType.F32, _c.OutputType());
    }

    // The sum of a rectangle is told by four sums from the image's corner; in double precision, for they grow with the image.
    string Average()
    {
        if (_channels != _depth * _side * _side) throw _c.Layer.Malformed($"{_channels} channels for {_depth} in {_side}x{_side} places");
        var sums = _c.As(_c.In(0), _c.TypeOf(0), TensorType.F64);
        foreach (var axis in new[] { 2, 3 }) sums = _c.Op("CumSum", [sums, _c.Graph.AddInt(axis)]);
        sums = _c.Op("Pad", [sums, _c.Ints(0, 0, 1, 1, 0, 0, 0, 0)]);
        var places = Enumerable.Range(0, (int)(_depth * _side * _side)).Select(at => (double)at);
        var channel = _c.Constant(TensorType.I64, [1, _depth, _side, _side], [.. places]);
        var ((top, bottom), (left, right)) = (Edges(2, _height, [-1, 1, _side, 1]), Edges(1, _width, [-1, 1, 1, _side]));
        var sum = _c.Add(
            _c.Sub(Pick(sums, channel, bottom, right), Pick(sums, channel, top, right)),
            _c.Sub(Pick(sums, channel, top, left), Pick(sums, channel, bottom, left)));
        var area = _c.Cast(_c.Mul(_c.Sub(bottom, top), _c.Sub(right, left)), TensorType.F64);
        var isEmpty = _c.Op("LessOrEqual", [area, _c.Scalar(0, TensorType.F64)]);
        var mean = _c.Div(sum, _c.Where(isEmpty, _c.Scalar(1, TensorType.F64), area));
        return _c.Cast(_c.Where(isEmpty, _c.Scalar(0, TensorType.F64), mean), TensorType.F32);
    }

    // Where the bins of a region begin and end along an axis, as whole places of the image.
    (string From, string To) Edges(int axis, long size, ReadOnlySpan<long> shape)
    {
        string Rounded(string place) => _c.Op("Floor", [_c.Add(place, Number(0.5))]);
        var start = _c.Mul(Rounded(Column(axis)), Number(_scale));
        var end = _c.Mul(_c.Add(Rounded(Column(axis + 2)), Number(1)), Number(_scale));
        var bin = _c.Div(_c.Op("Max", [_c.Sub(end, start), Number(0.1)]), Number(_side));
        string Edge(string op, int first, ReadOnlySpan<long> shape)
        {
            double[] steps = [.. Enumerable.Range(first, (int)_side).Select(at => (double)at)];
            var place = _c.Op(op, [_c.Add(_c.Mul(_c.Constant(TensorType.F32, [1, _side], steps), bin), start)]);
            return _c.Reshape(_c.Cast(Clamped(place, size), TensorType.I64), shape);
        }

        return (Edge("Floor", 0, shape), Edge("Ceil", 1, shape));
    }

    // Each bin of a region has channels of its own; of the bins' places the mean is taken.
    string Bilinear()
    {
        var (down, across) = (_c.Int("spatial_bins_y"), _c.Int("spatial_bins_x"));
        if (down < 1 || across < 1 || _channels != _c.Bounded(down * across) * _depth)
            throw _c.Layer.Malformed($"{_channels} channels for {_depth} in {down}x{across} bins");
        string? sum = null;
        for (var bin = 0; bin < down * across; bin++)
        {
            var first = bin * _depth;
            double[] own = [.. Enumerable.Range(0, (int)_depth).Select(at => (double)(first + at))];
            var channel = _c.Constant(TensorType.I64, [1, _depth, 1, 1], own);
            var y = _c.Reshape(Samples(2, bin / across, down, _height), -1, 1, _side, 1);
            var x = _c.Reshape(Samples(1, bin % across, across, _width), -1, 1, 1, _side);
            var sampled = Sampled(channel, y, x);
            sum = sum is null ? sampled : _c.Add(sum, sampled);
        }

        return _c.Div(sum!, Number(down * across));
    }

    // From the first to the last place of a bin in even steps; one alone lies in the middle.
    string Samples(int axis, long bin, long bins, long size)
    {
        var start = _c.Mul(Column(axis), Number(_scale));
        var width = _c.Div(_c.Sub(_c.Mul(Column(axis + 2), Number(_scale)), start), Number(bins));
        double[] steps = _side == 1
            ? [bin + 0.5] : [.. Enumerable.Range(0, (int)_side).Select(at => bin + at / (double)(_side - 1))];
        var places = _c.Add(start, _c.Mul(width, _c.Constant(TensorType.F32, [1, _side], steps)));
        return _c.Mul(places, Number(size - 1));
    }

    string Sampled(string channel, string y, string x)
    {
        var image = _c.As(_c.In(0), _c.TypeOf(0), TensorType.F32);
        var (insideY, top, bottom, shareY) = Around(y, _height);
        var (insideX, left, right, shareX) = Around(x, _width);
        string Between(string from, string to, string share) => _c.Add(from, _c.Mul(_c.Sub(to, from), share));
        var value = Between(
            Between(Pick(image, channel, top, left), Pick(image, channel, top, right), shareX),
            Between(Pick(image, channel, bottom, left), Pick(image, channel, bottom, right), shareX), shareY);
        return _c.Where(_c.Op("And", [insideY, insideX]), value, Number(0));
    }

    (string IsInside, string Low, string High, string Share) Around(string place, long size)
    {
        var inside = _c.Op(
            "And", [_c.Op("GreaterOrEqual", [place, Number(0)]), _c.Op("LessOrEqual", [place, Number(size - 1)])]);
        var low = Clamped(_c.Op("Floor", [place]), size - 1);
        var high = Clamped(_c.Op("Ceil", [place]), size - 1);
        return (inside, _c.Cast(low, TensorType.I64), _c.Cast(high, TensorType.I64), _c.Sub(place, low));
    }

    string Pick(string image, string channel, string row, string column)
    {
        // Sums that nothing is added to, but the shape of all four.
        var zero = _c.Mul(_c.Add(_c.Add(_batch, channel), _c.Add(row, column)), _c.Graph.AddInt(0));
        string Whole(string index) => _c.Unsqueeze(_c.Add(index, zero), -1);
        return _c.Op("GatherND", [image, _c.Concat(-1, Whole(_batch), Whole(channel), Whole(row), Whole(column))]);
    }

    string Clamped(string place, long max) => _c.Op("Min", [_c.Op("Max", [place, Number(0)]), Number(max)]);

    string Column(int at) => _c.Slice(_c.As(_c.In(1), _c.TypeOf(1), TensorType.F32), 1, at, at + 1);

    string Number(double number) => _c.Scalar(number, TensorType.F32);
}
