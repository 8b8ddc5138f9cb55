using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Millrace.Inference.Native;
using Millrace.Nn;

namespace Millrace.Inference.Onnx;

/// <summary>A model in ONNX Runtime, ONNX from the start or made from another encoding.</summary>
sealed partial class OnnxGraph : INnGraph
{
    readonly OrtSession _session;
    readonly ImmutableArray<Tensor> _states;

    OnnxGraph(OrtSession session, ImmutableArray<TensorPort> inputs, ImmutableArray<TensorPort> outputs, ImmutableArray<Tensor> states) =>
        (_session, Inputs, Outputs, _states) = (session, inputs, outputs, states);

    public ImmutableArray<TensorPort> Inputs { get; }

    public ImmutableArray<TensorPort> Outputs { get; }

    /// <summary>Loads a model made from another encoding; its ports have that encoding's names.</summary>
    /// <exception cref="NnException">ONNX Runtime refuses it.</exception>
    public static OnnxGraph Load(OnnxModel model, int threads) =>
        new(Session(model.Bytes, () => OnnxReader.Read(model.Bytes), threads), model.Inputs, model.Outputs, model.States);

    /// <summary>Loads a model as its file has it.</summary>
    /// <exception cref="NnException">ONNX Runtime refuses it, or a port is no tensor of numbers.</exception>
    public static OnnxGraph Load(ReadOnlyMemory<byte> model, OnnxSummary summary, int threads)
    {
        var session = Session(model, () => summary, threads);
        try
        {
            return new(session, Ports("input", session.Inputs, summary.Inputs), Ports("output", session.Outputs, summary.Outputs), []);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    public INnContext CreateContext() => new OnnxContext(_session, Inputs, Outputs, _states);

    public void Dispose() => _session.Dispose();

    static OrtSession Session(ReadOnlyMemory<byte> model, Func<OnnxSummary> summary, int threads)
    {
        try
        {
            return OrtSession.Load(model, threads);
        }
        catch (OrtException e)
        {
            throw Refusal(e, summary());
        }
    }

    // ONNX Runtime has a code for an operator without code of its own, and only words for one it never heard of.
    static NnException Refusal(OrtException e, OnnxSummary summary)
    {
        var isUnknown = e.Code == Ort.OrtNotImplemented || UnknownOperator().IsMatch(e.Message);
        var named = isUnknown
            ? summary.Operators.FirstOrDefault(op => op.Name.Length > 0 && Regex.IsMatch(e.Message, $@"\b{Regex.Escape(op.Name)}\b"))
            : null;
        return named is null
            ? new(NnErrno.InvalidEncoding, $"ONNX Runtime refuses the model: {e.Message}")
            : new(NnErrno.UnsupportedOperation, $"ONNX Runtime has no operator {named.FullName}{At(named)}: {e.Message}");
    }

    static string At(OnnxOperator op) => op.Node.Length > 0 ? $" as node {op.Node} uses it" : " as the model uses it";

    static ImmutableArray<TensorPort> Ports(string what, ImmutableArray<OnnxPort> found, ImmutableArray<OnnxPort> declared)
    {
        var ports = ImmutableArray.CreateBuilder<TensorPort>(found.Length);
        foreach (var port in found)
        {
            if (port.Kind is not null || port.Type.ToTensorType() is not { } type)
            {
                var kind = port.Kind ?? $"of type {port.Type}";
                throw new NnException(
                    NnErrno.UnsupportedOperation, $"the ONNX model's {what} {port.Name} is {kind}, which no guest can hand over");
            }

            // A rank of 0 is also what the engine says where it knows none.
            var isOpen = port.Dimensions.IsEmpty && declared.Any(other => other.Name == port.Name && other.Dimensions.IsDefault);
            ports.Add(new(port.Name, type, isOpen ? default : port.Dimensions));
        }

        return ports.MoveToImmutable();
    }

    [GeneratedRegex("is not a registered function/op|No Op registered for|No opset import for domain")]
    private static partial Regex UnknownOperator();
}
