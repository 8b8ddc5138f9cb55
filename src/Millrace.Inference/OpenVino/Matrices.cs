namespace Millrace.Inference.OpenVino;

/// <summary>Products with matrices along an axis.</summary>
static class Matrices
{
    /// <summary>Multiplies each row along an axis by a matrix: the axis has then the matrix's second size.</summary>
    public static string Along(Conversion c, string value, int rank, int axis, string matrix)
    {
        var order = Enumerable.Range(0, rank).Select(at => (long)at).ToArray();
        (order[axis], order[^1]) = (order[^1], order[axis]);
        if (axis == rank - 1) return c.Op("MatMul", [value, matrix]);
        return c.Transpose(c.Op("MatMul", [c.Transpose(value, order), matrix]), order);
    }
}
