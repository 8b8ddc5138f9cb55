using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Yes and no.</summary>
static class Comparisons
{
    public static readonly Operator[] Rows =
    [
        new("Equal", Equal),
        new("NotEqual", c => c.E.Map("Not", Equal(c))),
        .. new[] { ("Less", "Less"), ("LessEqual", "LessOrEqual"), ("Greater", "Greater"), ("GreaterEqual", "GreaterOrEqual") }
            .Select(op => new Operator(op.Item1, c => Types.Compared(c, Types.Numbers, x => c.E.Compare(op.Item2, x[0], x[1])))),
        new("LogicalAnd", c => c.E.Compare("And", c[0], c[1])),
        new("LogicalOr", c => c.E.Compare("Or", c[0], c[1])),
        new("LogicalXor", c => c.E.Compare("Xor", c[0], c[1])),
        new("LogicalNot", c => c.E.Map("Not", c[0])),
        new("IsNan", c => c.E.Node("IsNaN", [c[0]], TensorType.Bool, c[0].Shape)),
        new("IsInf", c => c.E.Node("IsInf", [c[0]], TensorType.Bool, c[0].Shape)),
        // What is finite minus itself is 0; the others give NaN, which equals nothing.
        new("IsFinite", c => c.E.Compare("Equal", c.E.Sub(c[0], c[0]), c.E.Scalar(0, c[0].Type))),
        new("SelectV2", c => c.E.Where(c[0], c[1], c[2])),
        new("Select", Select),
    ];

    static Value Equal(Call c) =>
        Types.Compared(c, [.. Types.Numbers, TensorType.Bool], x => c.E.Compare("Equal", x[0], x[1]));

    // A row of conditions picks whole rows: it is laid along the first axis, where broadcasting would take the last.
    static Value Select(Call c)
    {
        var (e, condition) = (c.E, c[0]);
        if (condition.Rank is { } rank && (rank == 0 || rank == c[1].Rank)) return e.Where(condition, c[1], c[2]);
        var ones = e.Ones(e.Sub(e.RankOf(c[1]), e.RankOf(condition)));
        return e.Where(e.Reshape(condition, e.Sizes(e.ShapeOf(condition), ones)), c[1], c[2]);
    }
}
