using System.Collections.Immutable;
using Millrace.Inference.Native;
using Millrace.Nn;

namespace Millrace.Inference.Onnx;

/// <summary>Inputs, a run and its outputs; what a model keeps between runs is kept here.</summary>
sealed class OnnxContext : INnContext
{
    readonly OrtSession _session;
    readonly ImmutableArray<TensorPort> _inputs;
    readonly ImmutableArray<TensorPort> _outputs;

    // The model's inputs, then its states: the order of the engine's.
    readonly Tensor?[] _values;
    Tensor[]? _results;
    bool _isDisposed;

    public OnnxContext(
        OrtSession session, ImmutableArray<TensorPort> inputs, ImmutableArray<TensorPort> outputs, ImmutableArray<Tensor> states)
    {
        (_session, _inputs, _outputs) = (session, inputs, outputs);
        _values = new Tensor?[inputs.Length + states.Length];
        states.CopyTo(_values!, inputs.Length);
    }

    public void SetInput(int index, Tensor tensor)
    {
        ThrowIfDisposed();
        TensorPort.CheckInput(_inputs, index, tensor);
        _values[index] = tensor with { Data = tensor.Data.ToArray() };
    }

    public void Compute(CancellationToken cancel)
    {
        ThrowIfDisposed();
        var missing = Array.FindIndex(_values, value => value is null);
        if (missing >= 0) throw new NnException(NnErrno.InvalidArgument, $"the input {_inputs[missing].Name} is not set");
        _results = null;
        try
        {
            var results = _session.Run(_values!, cancel);
            results.AsSpan(_outputs.Length).CopyTo(_values.AsSpan(_inputs.Length)!);
            _results = results[.._outputs.Length];
        }
        catch (OrtException e)
        {
            throw new NnException(NnErrno.RuntimeError, $"ONNX Runtime failed: {e.Message}");
        }
        catch (ObjectDisposedException)
        {
            throw new NnException(NnErrno.InvalidArgument, "the model was unloaded");
        }
    }

    public Tensor GetOutput(int index)
    {
        ThrowIfDisposed();
        return TensorPort.Output(_results, index);
    }

    public void Dispose()
    {
        _isDisposed = true;
        _results = null;
        Array.Clear(_values);
    }

    void ThrowIfDisposed()
    {
        if (_isDisposed) throw new NnException(NnErrno.InvalidArgument, "the context is gone");
    }
}
