using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Boxes out of predictions: decoded, selected for each class, the best of an image kept.</summary>
sealed class DetectionOutput
{
    const TensorType F32 = TensorType.F32;

    readonly Conversion _c;
    readonly bool _isNormalised, _sharesLocations, _hasVariances;
    readonly long _images, _priors, _classes, _candidates, _rows;

    DetectionOutput(Conversion c)
    {
        _c = c;
        if (c.Has(3)) throw c.Layer.Refused("with added predictions");
        if (c.Flag("decrease_label_id", false)) throw c.Layer.Refused("with decrease_label_id");
        (_isNormalised, _sharesLocations) = (c.Flag("normalized", false), c.Flag("share_location", true));
        _hasVariances = !c.Flag("variance_encoded_in_target", false);
        var (locations, scores, priors) = (c.StaticSizes(0), c.StaticSizes(1), c.StaticSizes(2));
        if (locations.Length != 2 || scores.Length != 2 || priors.Length != 3) throw c.Layer.Malformed("its inputs have other dimensions");
        _images = locations[0];
        _priors = priors[2] / (_isNormalised ? 4 : 5);
        _classes = _priors == 0 ? 0 : scores[1] / _priors;
        if (_classes == 0 || c.Int("num_classes", _classes) != _classes
            || locations[1] != _priors * 4 * (_sharesLocations ? 1 : _classes) || priors[1] < (_hasVariances ? 2 : 1))
        {
            throw c.Layer.Malformed("its inputs do not fit each other");
        }

        var top = c.Int("top_k", -1);
        _candidates = top < 0 ? _priors : Math.Min(top, _priors);
        var keep = c.Ints("keep_top_k") is [var first, ..] ? first : -1;
        c.Bounded(_classes);
        c.Bounded(_images * _priors);
        _rows = _images * (keep > 0 ? keep : _classes * (top < 0 ? _priors : top));
    }

    public static string Convert(Conversion c) => new DetectionOutput(c).Convert();

    string Convert()
    {
        var (c, perImage) = (_c, _classes * _candidates);
        var all = Boxes();
        var best = c.Graph.AddNodes("TopK", [Scores(), c.Ints(_candidates)], 2, new OnnxAttribute("axis", 1));
        var boxes = c.Op("GatherND", [all, c.Unsqueeze(best[1], -1)], new OnnxAttribute("batch_dims", 1));
        var scores = c.Reshape(best[0], -1);
        // What the classes select, in a row of all candidates: the others' scores are below any.
        var selected = c.Op(
            "NonMaxSuppression",
            [
                boxes, c.Unsqueeze(best[0], 1), c.Ints(_candidates),
                c.Graph.AddFloats((float)c.Float("nms_threshold", 0)),
                c.Graph.AddFloats((float)c.Float("confidence_threshold", float.MinValue)),
            ]);
        var places = c.Add(
            c.Mul(c.Squeeze(c.Slice(selected, 1, 0, 1), 1), c.Graph.AddInt(_candidates)), c.Squeeze(c.Slice(selected, 1, 2, 3), 1));
        var none = c.Op("Expand", [c.Scalar(double.NegativeInfinity, F32), c.Ints(_images * perImage)]);
        var kept = c.Reshape(c.Op("ScatterElements", [none, places, c.Op("Gather", [scores, places])]), _images, perImage);
        return Rows(InOrder(kept, perImage), perImage, scores, c.Reshape(boxes, -1, 4));
    }

    // The best of each image, by class and then by score; the images behind each other, and what is none at the end.
    string InOrder(string kept, long perImage)
    {
        var (c, count) = (_c, Math.Min(_rows / _images, perImage));
        var best = c.Graph.AddNodes("TopK", [kept, c.Ints(count)], 2, new OnnxAttribute("axis", 1));
        var isSome = c.Op("Greater", [best[0], c.Scalar(double.NegativeInfinity, F32)]);
        var images = c.Constant(
            TensorType.I64, [_images, 1], [.. Enumerable.Range(0, (int)_images).Select(image => (double)image * perImage)]);
        var places = c.Where(isSome, c.Add(best[1], images), c.Graph.AddInt(long.MaxValue));
        return c.Graph.AddNodes("TopK", [c.Reshape(places, -1), c.Ints(_images * count)], 2, new OnnxAttribute("largest", 0))[0];
    }

    string Rows(string places, long perImage, string scores, string boxes)
    {
        var c = _c;
        var isSome = c.Op("Less", [places, c.Graph.AddInt(long.MaxValue)]);
        places = c.Where(isSome, places, c.Graph.AddInt(0));
        if (c.Flag("clip_after_nms", false)) boxes = Clipped(boxes);
        var image = c.Div(places, c.Graph.AddInt(perImage));
        var label = c.Div(c.Op("Mod", [places, c.Graph.AddInt(perImage)]), c.Graph.AddInt(_candidates));
        string Column(string numbers) => c.Unsqueeze(c.Cast(numbers, F32), 1);
        var rows = c.Concat(
            1, Column(image), Column(label), Column(c.Op("Gather", [scores, places])), c.Op("Gather", [boxes, places]));
        rows = c.Where(c.Unsqueeze(isSome, 1), rows, c.Scalar(0, F32));
        // Image -1 ends the rows.
        var missing = c.Sub(c.Ints(_rows), c.Slice(c.Shape(rows), 0, 0, 1));
        rows = c.Op("Pad", [rows, c.Concat(0, c.Ints(0, 0), missing, c.Ints(0))]);
        var found = c.Sum(c.Cast(isSome, TensorType.I64), 0);
        var isEnd = c.Op("Equal", [c.Op("Range", [c.Graph.AddInt(0), c.Graph.AddInt(_rows), c.Graph.AddInt(1)]), found]);
        var end = c.Mul(c.Unsqueeze(c.Cast(isEnd, F32), 1), c.Constant(F32, [1, 7], -1, 0, 0, 0, 0, 0, 0));
        return c.As(c.Reshape(c.Add(rows, end), 1, 1, _rows, 7), F32, c.OutputType());
    }

    // [images * classes, priors]
    string Scores()
    {
        var c = _c;
        var scores = c.Transpose(c.Reshape(c.As(c.In(1), c.TypeOf(1), F32), _images, _priors, _classes), 0, 2, 1);
        var background = c.Int("background_label_id", 0);
        var isBackground = c.Constant(
            TensorType.Bool, [1, _classes, 1], [.. Enumerable.Range(0, (int)_classes).Select(label => label == background ? 1.0 : 0)]);
        return c.Reshape(c.Where(isBackground, c.Scalar(double.NegativeInfinity, F32), scores), -1, _priors);
    }

    // [images * classes, priors, 4]
    string Boxes()
    {
        var c = _c;
        var locations = c.Reshape(c.As(c.In(0), c.TypeOf(0), F32), _images, _priors, _sharesLocations ? 1 : _classes, 4);
        var priors = Priors(0);
        if (!_isNormalised)
        {
            var (width, height) = (c.Float("input_width", 1), c.Float("input_height", 1));
            priors = c.Div(priors, c.Constant(F32, [4], width, height, width, height));
        }

        if (_hasVariances) locations = c.Mul(locations, Priors(1));
        var type = c.Text("code_type", "corner");
        var boxes = type.EndsWith("center_size", StringComparison.Ordinal) ? Centred(locations, priors)
            : type.EndsWith(".corner", StringComparison.Ordinal) || type == "corner" ? c.Add(priors, locations)
            : throw c.Layer.Refused($"with code_type {type}");
        if (c.Flag("clip_before_nms", false)) boxes = Clipped(boxes);
        boxes = c.Op("Expand", [boxes, c.Ints(_images, _priors, _classes, 4)]);
        return c.Reshape(c.Transpose(boxes, 0, 2, 1, 3), -1, _priors, 4);
    }

    string Centred(string locations, string priors)
    {
        var c = _c;
        string Half(string box, int half) => c.Slice(box, 3, 2 * half, 2 * half + 2);
        var size = c.Sub(Half(priors, 1), Half(priors, 0));
        var centre = c.Mul(c.Add(Half(priors, 0), Half(priors, 1)), c.Scalar(0.5, F32));
        var middle = c.Add(c.Mul(Half(locations, 0), size), centre);
        var reach = c.Mul(c.Mul(c.Op("Exp", [Half(locations, 1)]), size), c.Scalar(0.5, F32));
        return c.Concat(3, c.Sub(middle, reach), c.Add(middle, reach));
    }

    // [1 or images, priors, 1, 4]: the boxes, or what predictions are multiplied by. Those that are not normalised begin with
    // the image's number.
    string Priors(int row)
    {
        var c = _c;
        var size = _isNormalised || row > 0 ? 4 : 5;
        var numbers = c.Slice(c.As(c.In(2), c.TypeOf(2), F32), 1, row, row + 1);
        if (!_isNormalised && row > 0) numbers = c.Slice(numbers, 2, 0, 4 * _priors);
        return c.Unsqueeze(c.Slice(c.Reshape(numbers, 0, _priors, size), 2, size - 4, size), 2);
    }

    string Clipped(string boxes) => _c.Op("Min", [_c.Op("Max", [boxes, _c.Scalar(0, F32)]), _c.Scalar(1, F32)]);
}
