using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Boxes that others with a better score overlap are left out.</summary>
static class Detection
{
    public static Kernel NonMaxSuppression(Node node) => NonMaxSuppression(node, isSoft: false);

    public static Kernel SoftNonMaxSuppression(Node node) => NonMaxSuppression(node, isSoft: true);

    public static Kernel PostProcess(Node node)
    {
        var options = new FlexMap(node.Spec.CustomOptions);
        var settings = new Settings(
            (int)Needed(node, options, "max_detections"), (int)Needed(node, options, "max_classes_per_detection"),
            (int)(options.Of("detections_per_class") ?? 100), options.Of("use_regular_nms") is > 0,
            (float)Needed(node, options, "nms_score_threshold"), (float)Needed(node, options, "nms_iou_threshold"),
            (int)Needed(node, options, "num_classes"),
            [(float)Needed(node, options, "y_scale"), (float)Needed(node, options, "x_scale"),
                (float)Needed(node, options, "h_scale"), (float)Needed(node, options, "w_scale")]);
        node.Require(settings is { MaxDetections: > 0, MaxClasses: > 0, PerClass: > 0, Classes: > 0 }, "a limit is not positive");
        node.Require(settings.Overlap is > 0 and <= 1, "its overlap threshold is not between 0 and 1");
        for (var i = 0; i < 3; i++) node.RequireType(node.Input(i), LiteType.Float32, LiteType.UInt8);
        return call => PostProcess(call, settings);
    }

    sealed record Settings(
        int MaxDetections, int MaxClasses, int PerClass, bool IsRegular, float Score, float Overlap, int Classes, float[] Scales);

    readonly record struct Box(float Top, float Left, float Bottom, float Right)
    {
        public float Overlap(Box other)
        {
            var (own, others) = ((Bottom - Top) * (Right - Left), (other.Bottom - other.Top) * (other.Right - other.Left));
            if (own <= 0 || others <= 0) return 0;
            var height = Math.Max(Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top), 0);
            var width = Math.Max(Math.Min(Right, other.Right) - Math.Max(Left, other.Left), 0);
            return height * width / (own + others - height * width);
        }
    }

    static double Needed(Node node, FlexMap options, string name) => options.Of(name) ?? throw node.Wrong($"its option {name} is missing");

    static void PostProcess(Call call, Settings settings)
    {
        var (encodings, predictions) = (call.Input(0), call.Input(1));
        call.Require(
            encodings.Rank == 3 && predictions.Rank == 3 && encodings.Shape[0] == 1 && predictions.Shape[0] == 1, "it takes one batch");
        var (count, classes) = (encodings.Shape[1], predictions.Shape[2]);
        // One class more than there are is the background, which comes first.
        var skipped = classes - settings.Classes;
        call.Require(predictions.Shape[1] == count && skipped is 0 or 1, "it has another number of classes");
        var boxes = Decode(call, settings, count);
        var scores = Reals(predictions);
        var rows = checked(settings.MaxDetections * settings.MaxClasses);
        var found = settings.IsRegular
            ? Regular(call, settings, boxes, scores, classes, skipped) : Fast(call, settings, boxes, scores, classes, skipped);
        var places = call.Output(0, 1, rows, 4).Write<float>();
        var labels = call.Output(1, 1, rows).Write<float>();
        var values = call.Output(2, 1, rows).Write<float>();
        var number = call.Output(3, 1).Write<float>();
        places.Clear();
        labels.Clear();
        values.Clear();
        for (var i = 0; i < found.Rows.Count; i++)
        {
            var (row, box, label, score) = found.Rows[i];
            (places[row * 4], places[row * 4 + 1], places[row * 4 + 2], places[row * 4 + 3]) =
                (boxes[box].Top, boxes[box].Left, boxes[box].Bottom, boxes[box].Right);
            (labels[row], values[row]) = (label, score);
        }

        number[0] = found.Count;
    }

    static Box[] Decode(Call call, Settings settings, int count)
    {
        var (encodings, anchors) = (Reals(call.Input(0)), Reals(call.Input(2)));
        var width = call.Input(0).Shape[2];
        call.Require(width >= 4 && anchors.Length == count * 4, "its boxes or anchors have another size");
        var boxes = new Box[count];
        for (var i = 0; i < count; i++)
        {
            var code = encodings.AsSpan(i * width, 4);
            var anchor = anchors.AsSpan(i * 4, 4);
            var y = code[0] / settings.Scales[0] * anchor[2] + anchor[0];
            var x = code[1] / settings.Scales[1] * anchor[3] + anchor[1];
            var halfHeight = (float)(0.5 * Math.Exp(code[2] / (double)settings.Scales[2]) * anchor[2]);
            var halfWidth = (float)(0.5 * Math.Exp(code[3] / (double)settings.Scales[3]) * anchor[3]);
            boxes[i] = new Box(y - halfHeight, x - halfWidth, y + halfHeight, x + halfWidth);
        }

        return boxes;
    }

    static (List<(int Row, int Box, int Label, float Score)> Rows, int Count) Fast(
        Call call, Settings settings, Box[] boxes, float[] scores, int classes, int skipped)
    {
        var each = Math.Min(settings.MaxClasses, settings.Classes);
        var best = new float[boxes.Length];
        for (var i = 0; i < boxes.Length; i++)
        {
            best[i] = float.NegativeInfinity;
            foreach (var score in scores.AsSpan(i * classes + skipped, settings.Classes)) best[i] = Math.Max(best[i], score);
        }

        var chosen = Choose(call, settings, boxes, best, settings.MaxDetections);
        var rows = new List<(int Row, int Box, int Label, float Score)>();
        for (var i = 0; i < chosen.Count; i++)
        {
            var own = scores.AsSpan(chosen[i] * classes + skipped, settings.Classes).ToArray();
            var order = Descending(own);
            for (var j = 0; j < each; j++) rows.Add((i * settings.MaxClasses + j, chosen[i], order[j], own[order[j]]));
        }

        return (rows, chosen.Count);
    }

    static (List<(int Row, int Box, int Label, float Score)> Rows, int Count) Regular(
        Call call, Settings settings, Box[] boxes, float[] scores, int classes, int skipped)
    {
        var kept = new List<(int Box, int Label, float Score)>();
        var own = new float[boxes.Length];
        for (var label = 0; label < settings.Classes; label++)
        {
            for (var i = 0; i < boxes.Length; i++) own[i] = scores[i * classes + label + skipped];
            foreach (var box in Choose(call, settings, boxes, own, settings.PerClass)) kept.Add((box, label, own[box]));
            // Only the best of all classes so far go on.
            kept = [.. kept.OrderByDescending(static found => found.Score).Take(settings.MaxDetections)];
        }

        return ([.. kept.Select(static (found, row) => (row, found.Box, found.Label, found.Score))], kept.Count);
    }

    static List<int> Choose(Call call, Settings settings, Box[] boxes, float[] scores, int max)
    {
        int[] order = [.. Descending(scores).Where(index => scores[index] >= settings.Score)];
        var chosen = new List<int>();
        foreach (var index in order)
        {
            if (chosen.Count >= max) break;
            call.Cancel.ThrowIfCancellationRequested();
            if (chosen.TrueForAll(other => boxes[other].Overlap(boxes[index]) <= settings.Overlap)) chosen.Add(index);
        }

        return chosen;
    }

    static int[] Descending(float[] scores) => [.. Enumerable.Range(0, scores.Length).OrderByDescending(index => scores[index])];

    static float[] Reals(LiteTensor tensor)
    {
        if (tensor.Type == LiteType.Float32) return tensor.Read<float>().ToArray();
        var (scale, zero) = (tensor.Quantization.Scale, tensor.Quantization.ZeroPoint);
        return Array.ConvertAll(tensor.Read<byte>().ToArray(), step => (step - zero) * scale);
    }

    static Kernel NonMaxSuppression(Node node, bool isSoft)
    {
        node.RequireType(node.Input(0), LiteType.Float32);
        node.RequireType(node.Input(1), LiteType.Float32);
        return call =>
        {
            var encoded = call.Input(0).Read<float>();
            var scores = call.Input(1).Read<float>();
            var max = (int)Sizes.Long(call.Input(2), 0);
            call.Require(
                max >= 0 && encoded.Length == scores.Length * 4,
                "its boxes and scores differ in number, or it selects fewer than none");
            var (overlap, least) = (call.Input(3).Read<float>()[0], call.Input(4).Read<float>()[0]);
            var sigma = isSoft ? call.Input(5).Read<float>()[0] : 0;
            var boxes = new Box[scores.Length];
            for (var i = 0; i < boxes.Length; i++)
            {
                var (y, x, bottom, right) = (encoded[i * 4], encoded[i * 4 + 1], encoded[i * 4 + 2], encoded[i * 4 + 3]);
                boxes[i] = new Box(Math.Min(y, bottom), Math.Min(x, right), Math.Max(y, bottom), Math.Max(x, right));
            }

            var chosen = Select(call, boxes, scores, Math.Min(max, boxes.Length), overlap, least, sigma);
            var indices = call.Output(0, max).Write<int>();
            indices.Clear();
            for (var i = 0; i < chosen.Count; i++) indices[i] = chosen[i].Index;
            if (isSoft)
            {
                var values = call.Output(1, max).Write<float>();
                values.Clear();
                for (var i = 0; i < chosen.Count; i++) values[i] = chosen[i].Score;
            }

            call.Output(isSoft ? 2 : 1).Write<int>()[0] = chosen.Count;
        };
    }

    // A score that overlap has lowered goes back into the queue, to be compared with what is chosen after it.
    static List<(int Index, float Score)> Select(
        Call call, Box[] boxes, ReadOnlySpan<float> scores, int max, float overlap, float least, float sigma)
    {
        var queue = new PriorityQueue<(int Index, float Score, int From), (float, int)>();
        for (var i = 0; i < boxes.Length; i++)
        {
            if (scores[i] > least) queue.Enqueue((i, scores[i], 0), (-scores[i], i));
        }

        var scale = sigma > 0 ? -0.5f / sigma : 0;
        var chosen = new List<(int Index, float Score)>();
        while (chosen.Count < max && queue.TryDequeue(out var next, out _))
        {
            call.Cancel.ThrowIfCancellationRequested();
            var (score, isOut) = (next.Score, false);
            for (var j = chosen.Count - 1; j >= next.From && !isOut && score > least; j--)
            {
                var shared = boxes[next.Index].Overlap(boxes[chosen[j].Index]);
                isOut = shared >= overlap;
                if (!isOut && sigma > 0) score *= MathF.Exp(scale * shared * shared);
            }

            if (isOut) continue;
            if (score == next.Score) chosen.Add((next.Index, score));
            else if (score > least) queue.Enqueue((next.Index, score, chosen.Count), (-score, next.Index));
        }

        return chosen;
    }
}
