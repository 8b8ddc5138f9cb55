namespace Millrace.Inference.TensorFlow;

/// <summary>An operator of TensorFlow's and what it is in ONNX: one row of the table.</summary>
/// <param name="Names">It and others that do the same.</param>
/// <param name="Convert">Writes it.</param>
sealed record Operator(string[] Names, Func<Call, Value[]> Convert)
{
    /// <summary>An operator with one output.</summary>
    public Operator(string name, Func<Call, Value> convert) : this([name], call => [convert(call)])
    {
    }

    /// <summary>Operators with one output, which do the same.</summary>
    public Operator(string[] names, Func<Call, Value> convert) : this(names, call => [convert(call)])
    {
    }

    /// <summary>An operator with several outputs.</summary>
    public Operator(string name, Func<Call, Value[]> convert) : this([name], convert)
    {
    }
}
