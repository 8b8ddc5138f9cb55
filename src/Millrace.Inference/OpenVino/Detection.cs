using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Selecting boxes.</summary>
static class Detection
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("NonMaxSuppression", 1, NonMaxSuppression), new("NonMaxSuppression", 3, NonMaxSuppression),
        new("NonMaxSuppression", 4, NonMaxSuppression), new("NonMaxSuppression", 5, NonMaxSuppression),
        new("NonMaxSuppression", 9, NonMaxSuppression),
        new("DetectionOutput", 1, DetectionOutput.Convert), new("DetectionOutput", 8, DetectionOutput.Convert),
        new("Proposal", 1, Proposal.Convert), new("Proposal", 4, Proposal.Convert),
    ];

    static string[] NonMaxSuppression(Conversion c)
    {
        // A score that falls with the overlap, instead of a box that goes, has nothing like it in ONNX.
        if (c.Has(5) && c.FloatsOf(5) is [not 0, ..]) throw c.Layer.Refused("with soft_nms_sigma");
        var isCentre = c.Text("box_encoding", "corner") switch
        {
            "corner" => false,
            "center" => true,
            var encoding => throw c.Layer.Malformed($"box_encoding is {encoding}"),
        };
        var scores = c.As(c.In(1), c.TypeOf(1), TensorType.F32);
        var selected = c.Op(
            "NonMaxSuppression",
            [
                c.As(c.In(0), c.TypeOf(0), TensorType.F32), scores,
                c.Has(2) ? c.Row(2) : c.Ints(0), Threshold(c, 3), Threshold(c, 4),
            ],
            new OnnxAttribute("center_point_box", isCentre ? 1 : 0));
        var found = c.Op("GatherND", [scores, selected]);
        if (c.Flag("sort_result_descending", true))
        {
            var order = c.Graph.AddNodes("TopK", [found, c.Shape(found)], 2);
            selected = c.Op("Gather", [selected, order[1]], new OnnxAttribute("axis", 0));
            found = order[0];
        }

        var indices = c.As(selected, TensorType.I64, c.OutputType());
        if (c.Layer.Outputs.Length == 1) return [indices];
        var named = c.Concat(1, c.Cast(c.Slice(selected, 1, 0, 2), TensorType.F32), c.Unsqueeze(found, 1));
        return [indices, c.As(named, TensorType.F32, c.OutputType(1)), c.As(c.Shape(found), TensorType.I64, c.OutputType(2))];
    }

    static string Threshold(Conversion c, int index) =>
        c.Has(index) ? c.Reshape(c.As(c.In(index), c.TypeOf(index), TensorType.F32), 1) : c.Constant(TensorType.F32, [1], 0);
}
