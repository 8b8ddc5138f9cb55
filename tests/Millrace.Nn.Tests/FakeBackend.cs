using System.Collections.Immutable;

namespace Millrace.Nn.Tests;

/// <summary>Gives its inputs back, and remembers what it was asked.</summary>
sealed class FakeBackend(NnEncoding encoding, params TensorPort[] ports) : INnBackend
{
    public NnEncoding Encoding => encoding;

    public string? WhyAbsent { get; init; }

    public bool OpensFiles { get; init; }

    public List<NnModel> Models { get; } = [];

    public List<Tensor> Inputs { get; } = [];

    /// <summary>Graphs and contexts that were not freed.</summary>
    public int Open { get; private set; }

    public Action<NnModel> OnLoad { get; init; } = _ => { };

    public Action<CancellationToken> OnCompute { get; init; } = _ => { };

    public INnGraph Load(NnModel model)
    {
        OnLoad(model);
        Models.Add(model);
        return new Graph(this, [.. ports], model.Outputs);
    }

    sealed class Graph : INnGraph
    {
        readonly FakeBackend _backend;

        public Graph(FakeBackend backend, ImmutableArray<TensorPort> ports, ImmutableArray<string> outputs)
        {
            (_backend, Inputs) = (backend, ports);
            Outputs = outputs.IsEmpty ? ports : [.. outputs.Select((name, i) => ports[i] with { Name = name })];
            backend.Open++;
        }

        public ImmutableArray<TensorPort> Inputs { get; }

        public ImmutableArray<TensorPort> Outputs { get; }

        public INnContext CreateContext() => new Context(_backend);

        public void Dispose() => _backend.Open--;
    }

    sealed class Context : INnContext
    {
        readonly Dictionary<int, Tensor> _inputs = [];
        readonly FakeBackend _backend;
        ImmutableDictionary<int, Tensor>? _outputs;

        public Context(FakeBackend backend)
        {
            _backend = backend;
            backend.Open++;
        }

        public void SetInput(int index, Tensor tensor)
        {
            _backend.Inputs.Add(tensor);
            _inputs[index] = tensor;
        }

        public void Compute(CancellationToken cancel)
        {
            if (_inputs.Count == 0) throw new NnException(NnErrno.InvalidArgument, "input 0 is not set");
            _backend.OnCompute(cancel);
            _outputs = _inputs.ToImmutableDictionary();
        }

        public Tensor GetOutput(int index) => _outputs?.GetValueOrDefault(index)
            ?? throw new NnException(NnErrno.InvalidArgument, $"there is no output {index}");

        public void Dispose() => _backend.Open--;
    }
}

/// <summary>A model of text: answers the prompt's letters, one by one, and counts them. Its context ends at an exclamation mark.</summary>
sealed class FakeTextBackend : INnBackend
{
    public NnEncoding Encoding => NnEncoding.Ggml;

    public string? WhyAbsent => null;

    public List<NnModel> Models { get; } = [];

    /// <summary>What the file had that the last model came in.</summary>
    public byte[] LastFile { get; private set; } = [];

    public INnGraph Load(NnModel model)
    {
        Models.Add(model);
        if (File.Exists(model.Path)) LastFile = File.ReadAllBytes(model.Path);
        return new Graph();
    }

    sealed class Graph : INnGraph
    {
        public ImmutableArray<TensorPort> Inputs => [];

        public ImmutableArray<TensorPort> Outputs => [];

        public INnContext CreateContext() => new Context();

        public void Dispose() { }
    }

    sealed class Context : INnTextContext
    {
        string _prompt = "";
        string _text = "";
        int _at;

        public void SetInput(int index, Tensor tensor)
        {
            if (index != 1) (_prompt, _at, _text) = (Text(tensor), 0, "");
        }

        public void Compute(CancellationToken cancel)
        {
            if (_prompt.Length == 0) throw new NnException(NnErrno.InvalidArgument, "there is no prompt");
            if (_prompt.Length > 1000) throw new NnException(NnErrno.PromptTooLong, "the prompt is too long");
            _text = _prompt;
        }

        public Tensor GetOutput(int index) =>
            Bytes(index == 1 ? $"{{\"input_tokens\":{_prompt.Length},\"output_tokens\":{_text.Length}}}" : _text);

        public void ComputeSingle(CancellationToken cancel)
        {
            if (_at == _prompt.Length)
            {
                _at = 0;
                throw new NnException(NnErrno.EndOfSequence, "the end");
            }

            if (_prompt[_at] == '!')
            {
                _at = 0;
                throw new NnException(NnErrno.ContextFull, "the context is full");
            }

            _text = _prompt[..++_at];
        }

        public Tensor GetOutputSingle(int index) => Bytes(_text[^1..]);

        public void FinishSingle() => _at = 0;

        public void Dispose() { }

        static Tensor Bytes(string text)
        {
            var bytes = System.Text.Encoding.UTF8.GetBytes(text);
            return new(TensorType.U8, [bytes.Length], bytes);
        }

        static string Text(Tensor tensor) => System.Text.Encoding.UTF8.GetString(tensor.Data.Span);
    }
}
