using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Proposed regions: boxes around each cell, moved by predictions, the best that do not overlap.</summary>
sealed class Proposal
{
    const TensorType F32 = TensorType.F32;

    readonly Conversion _c;
    readonly bool _isTensorFlow;
    readonly long _images, _anchors, _height, _width, _kept;
    readonly double[] _shapes;

    // A box from 3 to 5 is three wide, or two.
    readonly double _offset;

    Proposal(Conversion c)
    {
        _c = c;
        _isTensorFlow = c.Text("framework", "") == "tensorflow";
        _offset = _isTensorFlow ? 0 : 1;
        _kept = c.Int("post_nms_topn");
        var (scores, deltas) = (c.StaticSizes(0), c.StaticSizes(1));
        _shapes = Shapes();
        _anchors = _shapes.Length / 4;
        if (scores.Length != 4 || deltas.Length != 4 || scores[1] != 2 * _anchors || deltas[1] != 4 * _anchors)
            throw c.Layer.Malformed($"its inputs do not fit {_anchors} boxes in each cell");
        (_images, _height, _width) = (c.Bounded(scores[0]), c.Bounded(scores[2]), c.Bounded(scores[3]));
        c.Bounded(c.Bounded(_height * _width) * _anchors * 4);
        c.Bounded(_images * c.Bounded(_kept) * 5);
    }

    public static string[] Convert(Conversion c) => new Proposal(c).Convert();

    string[] Convert()
    {
        var c = _c;
        var (image, cells) = (c.Reshape(c.As(c.In(2), c.TypeOf(2), F32), -1), _height * _width * _anchors);
        var boxes = Moved(image);
        var scores = c.Slice(c.As(c.In(0), c.TypeOf(0), F32), 1, _anchors, 2 * _anchors);
        scores = c.Mul(c.Reshape(c.Transpose(scores, 0, 2, 3, 1), _images, cells), IsLarge(boxes, image));
        var count = Math.Min(c.Int("pre_nms_topn"), cells);
        var best = c.Graph.AddNodes("TopK", [scores, c.Ints(count)], 2, new OnnxAttribute("axis", 1));
        boxes = c.Op("GatherND", [boxes, c.Unsqueeze(best[1], -1)], new OnnxAttribute("batch_dims", 1));
        var selected = c.Op(
            "NonMaxSuppression",
            [
                c.Add(boxes, c.Constant(F32, [4], 0, 0, _offset, _offset)), c.Unsqueeze(best[0], 1), c.Ints(_kept),
                c.Graph.AddFloats((float)c.Float("nms_thresh", 0)),
            ]);
        return Outputs(selected, boxes, best[0], image);
    }

    string[] Outputs(string selected, string boxes, string scores, string image)
    {
        var c = _c;
        string Column(int at) => c.Squeeze(c.Slice(selected, 1, at, at + 1), 1);
        var (item, places) = (Column(0), c.Concat(1, c.Slice(selected, 1, 0, 1), c.Slice(selected, 1, 2, 3)));
        var found = c.Op("GatherND", [boxes, places]);
        if (c.Flag("clip_after_nms", false)) found = Clipped(found, image, 0);
        if (c.Flag("normalize", false)) found = c.Div(found, Sides(image));
        // Each image has its own rows, whatever it found; image -1 ends them where there is room left.
        var numbers = c.Constant(TensorType.I64, [_images, 1], [.. Enumerable.Range(0, (int)_images).Select(at => (double)at)]);
        var counts = c.Op(
            "ReduceSum", [c.Cast(c.Op("Equal", [numbers, c.Unsqueeze(item, 0)]), TensorType.I64), c.Ints(1)],
            new OnnxAttribute("keepdims", 0));
        var begins = c.Op("CumSum", [counts, c.Graph.AddInt(0)], new OnnxAttribute("exclusive", 1));
        var order = c.Op("Range", [c.Graph.AddInt(0), c.Squeeze(c.Shape(item), 0), c.Graph.AddInt(1)]);
        var own = c.Sub(order, c.Op("Gather", [begins, item]));
        var rows = c.Unsqueeze(c.Add(c.Mul(item, c.Graph.AddInt(_kept)), own), 1);
        var regions = c.Concat(1, c.Cast(c.Unsqueeze(item, 1), F32), found);
        var written = c.Op("ScatterND", [Ended(counts), rows, regions]);
        if (c.Layer.Outputs.Length == 1) return [c.As(written, F32, c.OutputType())];
        var none = c.Constant(F32, [_images * _kept], 0);
        var probabilities = c.Op("ScatterND", [none, rows, c.Op("GatherND", [scores, places])]);
        return [c.As(written, F32, c.OutputType()), c.As(probabilities, F32, c.OutputType(1))];
    }

    string Ended(string counts)
    {
        var c = _c;
        var places = c.Constant(TensorType.I64, [1, _kept], [.. Enumerable.Range(0, (int)_kept).Select(at => (double)at)]);
        var isEnd = c.Reshape(c.Cast(c.Op("Equal", [places, c.Unsqueeze(counts, 1)]), F32), -1, 1);
        return c.Mul(isEnd, c.Constant(F32, [1, 5], -1, 0, 0, 0, 0));
    }

    // [images, cells, 4]
    string Moved(string image)
    {
        var c = _c;
        var anchors = c.Constant(F32, [1, _height * _width * _anchors, 4], [.. Anchors()]);
        if (_isTensorFlow) anchors = Clipped(anchors, image, 0);
        var deltas = c.Reshape(c.As(c.In(1), c.TypeOf(1), F32), _images, _anchors, 4, _height, _width);
        deltas = c.Reshape(c.Transpose(deltas, 0, 3, 4, 1, 2), _images, -1, 4);
        string Half(string box, int half) => c.Slice(box, 2, 2 * half, 2 * half + 2);
        var size = c.Add(c.Sub(Half(anchors, 1), Half(anchors, 0)), c.Scalar(_offset, F32));
        var centre = c.Add(Half(anchors, 0), c.Mul(size, c.Scalar(0.5, F32)));
        var shift = c.Div(Half(deltas, 0), c.Scalar(c.Float("box_coordinate_scale", 1), F32));
        var growth = c.Div(Half(deltas, 1), c.Scalar(c.Float("box_size_scale", 1), F32));
        var middle = c.Add(c.Mul(shift, size), centre);
        var reach = c.Mul(c.Mul(c.Op("Exp", [growth]), size), c.Scalar(0.5, F32));
        var boxes = c.Concat(2, c.Sub(middle, reach), c.Add(middle, reach));
        return c.Flag("clip_before_nms", true) ? Clipped(boxes, image, _offset) : boxes;
    }

    // One, or zero for a box that is too small.
    string IsLarge(string boxes, string image)
    {
        var c = _c;
        var size = c.Add(c.Sub(c.Slice(boxes, 2, 2, 4), c.Slice(boxes, 2, 0, 2)), c.Scalar(_offset, F32));
        var count = c.SizesOf(2)[^1];
        var scale = count switch
        {
            3 => c.Slice(image, 0, 2, 3),
            4 => c.Concat(0, c.Slice(image, 0, 3, 4), c.Slice(image, 0, 2, 3)),
            _ => throw c.Layer.Refused($"with {count} numbers of the image"),
        };
        var isLarge = c.Op("GreaterOrEqual", [size, c.Mul(scale, c.Scalar(c.Int("min_size"), F32))]);
        return c.Op("ReduceMin", [c.Cast(isLarge, F32), c.Ints(2)], new OnnxAttribute("keepdims", 0));
    }

    string Clipped(string boxes, string image, double offset)
    {
        var edge = _c.Sub(Sides(image), _c.Scalar(offset, F32));
        return _c.Op("Max", [_c.Op("Min", [boxes, edge]), _c.Scalar(0, F32)]);
    }

    // Width, height, width, height: the image has its height first.
    string Sides(string image) => _c.Op("Gather", [image, _c.Ints(1, 0, 1, 0)]);

    IEnumerable<double> Anchors()
    {
        var stride = _c.Int("feat_stride");
        for (var row = 0; row < _height; row++)
        {
            for (var column = 0; column < _width; column++)
            {
                var (x, y) = _isTensorFlow ? (row * stride, column * stride) : (column * stride, row * stride);
                for (var i = 0; i < _shapes.Length; i++) yield return _shapes[i] + (i % 2 == 0 ? x : y);
            }
        }
    }

    // Boxes around the first cell: each ratio in each scale.
    double[] Shapes()
    {
        var c = _c;
        var (size, shapes) = ((double)c.Int("base_size"), new List<double>());
        var (ratios, scales) = (Attributes.Floats(c.Layer, "ratio") ?? [], Attributes.Floats(c.Layer, "scale") ?? []);
        var (centre, shift) = ((size - _offset) / 2, _isTensorFlow ? size / 2 : 0);
        foreach (var ratio in ratios)
        {
            var width = Math.Sqrt(size * size / ratio);
            if (!_isTensorFlow) width = Math.Round(width, MidpointRounding.AwayFromZero);
            var height = _isTensorFlow ? width * ratio : Math.Round(width * ratio, MidpointRounding.AwayFromZero);
            foreach (var scale in scales)
            {
                var (x, y) = ((width * scale - _offset) / 2, (height * scale - _offset) / 2);
                shapes.AddRange([centre - x - shift, centre - y - shift, centre + x - shift, centre + y - shift]);
            }
        }

        return [.. shapes];
    }
}
