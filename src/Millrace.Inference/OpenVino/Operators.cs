using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>An operator since an operator set, until a later one has it anew.</summary>
/// <param name="Type">Its name in the file.</param>
/// <param name="Opset">The operator set that brought it.</param>
/// <param name="Convert">Writes its nodes and gives the names of its outputs; null where it is known and not converted.</param>
sealed record Operator(string Type, int Opset, Func<Conversion, string[]>? Convert)
{
    public Operator(string type, int opset, Func<Conversion, string> convert)
        : this(type, opset, conversion => [convert(conversion)])
    {
    }

    /// <summary>An operator that has another meaning since this set, which is not converted.</summary>
    public static Operator NotConverted(string type, int opset) => new(type, opset, (Func<Conversion, string[]>?)null);
}

/// <summary>All operators. One name may mean another thing in another operator set.</summary>
static class Operators
{
    // A later set may have any operator anew.
    const int OpsetMax = 16;

    static readonly ILookup<string, Operator> ByType = new[]
    {
        Elementwise.Rows, Arithmetic.Rows, Activations.Rows, Convolutions.Rows, Pooling.Rows, Reductions.Rows, Shapes.Rows,
        Slicing.Rows, Gathers.Rows, Layouts.Rows, Normalisation.Rows, Interpolation.Rows, Recurrent.Rows, ControlFlow.Rows,
        Embeddings.Rows, Decoding.Rows, Detection.Rows, PriorBoxes.Rows, Regions.Rows,
        PositionSensitive.Rows, Fourier.Rows,
    }.SelectMany(rows => rows).ToLookup(row => row.Type);

    /// <summary>What converts a layer.</summary>
    /// <exception cref="NnException">There is nothing for its operator.</exception>
    public static Func<Conversion, string[]> Of(IrLayer layer)
    {
        if (!layer.Version.StartsWith("opset", StringComparison.Ordinal) || !int.TryParse(layer.Version.AsSpan(5), out var opset)
            || opset is < 1 or > OpsetMax)
        {
            throw layer.Refused("in this operator set");
        }

        var row = ByType[layer.Type].Where(row => row.Opset <= opset).MaxBy(row => row.Opset);
        return row?.Convert ?? throw layer.Refused("here");
    }
}
