namespace Millrace.Nn.Calls;

/// <summary>A frozen graph with inputs set by name and outputs asked for by name.</summary>
sealed class TensorFlowSession(ReadOnlyMemory<byte> model, INnGraph graph) : IDisposable
{
    // Of a graph's own tensors; a guest that asks for more has something else in mind.
    const int OutputsMax = 256;

    readonly Dictionary<int, Tensor> _inputs = [];
    readonly List<string> _names = [];
    INnGraph _graph = graph;
    Tensor[] _outputs = [];

    public ReadOnlyMemory<byte> Model => model;

    public long InputBytes => _inputs.Values.Sum(input => (long)input.Data.Length);

    /// <summary>The index of an input.</summary>
    public int Input(string name) => TensorPort.Find(_graph.Inputs, name) is >= 0 and var index
        ? index
        : throw new NnException(NnErrno.InvalidArgument,
            $"the graph has no input '{name}': {string.Join(", ", _graph.Inputs.Select(port => port.Name))}");

    public int BytesOf(int input) => _inputs.TryGetValue(input, out var tensor) ? tensor.Data.Length : 0;

    public void SetInput(int index, Tensor tensor) => _inputs[index] = tensor;

    public void AddOutput(string name)
    {
        if (_names.Contains(name)) return;
        if (_names.Count == OutputsMax)
            throw new NnException(NnErrno.TooLarge, $"{OutputsMax} outputs were asked for already, which is the limit");
        _names.Add(name);
    }

    public int Output(string name) => _names.IndexOf(name) is >= 0 and var index
        ? index : throw new NnException(NnErrno.InvalidArgument, $"output '{name}' was not asked for");

    /// <summary>What was computed; null before that.</summary>
    public Tensor? Result(uint index)
    {
        if (index >= _names.Count) throw new NnException(NnErrno.InvalidArgument, $"there is no output {index}");
        return index < _outputs.Length ? _outputs[index] : null;
    }

    public void ClearInputs() => _inputs.Clear();

    public void ClearOutputs()
    {
        _names.Clear();
        _outputs = [];
    }

    public void Run(NnSession session)
    {
        _outputs = [];
        // A tensor in the middle of the graph, which is no output of its own.
        if (_names.Any(name => TensorPort.Find(_graph.Outputs, name) < 0))
        {
            var inputs = _graph.Inputs;
            var wanted = new NnModel([model]) { Outputs = [.. _names] };
            var other = session.Load(cancel => session.Models.Load(NnEncoding.TensorFlow, wanted with { Cancel = cancel }));
            _graph.Dispose();
            _graph = other;
            // Fewer inputs may lead to it.
            var kept = _inputs.Select(pair => (Index: TensorPort.Find(other.Inputs, inputs[pair.Key].Name), pair.Value)).ToArray();
            _inputs.Clear();
            foreach (var (index, tensor) in kept) if (index >= 0) _inputs[index] = tensor;
        }

        using var context = _graph.CreateContext();
        foreach (var (index, tensor) in _inputs) context.SetInput(index, tensor);
        session.Compute(context.Compute);
        _outputs = [.. _names.Select(name => context.GetOutput(TensorPort.Find(_graph.Outputs, name)))];
    }

    public void Dispose() => _graph.Dispose();
}
