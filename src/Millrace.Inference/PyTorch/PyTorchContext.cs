using Millrace.Inference.Native;
using Millrace.Nn;

namespace Millrace.Inference.PyTorch;

/// <summary>Inputs, a call of <c>forward</c>, and its outputs.</summary>
sealed class PyTorchContext(PyTorchGraph graph, TorchModel model) : INnContext
{
    readonly Tensor?[] _inputs = new Tensor?[graph.Inputs.Length];
    Tensor[]? _results;
    bool _isDisposed;

    public void SetInput(int index, Tensor tensor)
    {
        ThrowIfDisposed();
        TensorPort.CheckInput(graph.Inputs, index, tensor);
        _inputs[index] = tensor with { Data = tensor.Data.ToArray() };
    }

    public void Compute(CancellationToken cancel)
    {
        ThrowIfDisposed();
        // Inputs are given by place: those from the first left-out one on have their defaults.
        var given = Array.FindIndex(_inputs, input => input is null) is >= 0 and var first ? first : _inputs.Length;
        if (given < model.Required || _inputs.AsSpan(given).ContainsAnyExcept((Tensor?)null))
            throw new NnException(NnErrno.InvalidArgument, $"the input {graph.Inputs[given].Name} is not set");
        cancel.ThrowIfCancellationRequested();
        _results = null;
        try
        {
            var results = model.Run(_inputs.AsSpan(0, given)!);
            // libtorch cannot be stopped; but whoever gave up does not get the result.
            cancel.ThrowIfCancellationRequested();
            graph.Gave(results.Length);
            _results = results;
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
        Array.Clear(_inputs);
    }

    void ThrowIfDisposed()
    {
        if (_isDisposed) throw new NnException(NnErrno.InvalidArgument, "the context is gone");
    }
}
