using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Execution;

/// <summary>What a context keeps: tensors of all subgraphs, the arena, variables.</summary>
sealed class Machine
{
    const long ArenaLimit = 4L << 30;

    readonly Frame?[] _frames;
    readonly Plan[] _plans;

    public Machine(Plan[] plans)
    {
        _plans = plans;
        _frames = new Frame?[plans.Length];
    }

    public Arena Arena { get; } = new(ArenaLimit);

    public CancellationToken Cancel { get; private set; }

    /// <summary>Variables of the model by their names; they live as long as the context.</summary>
    public Dictionary<string, LiteTensor> Variables { get; } = [];

    /// <summary>Handles of variables, as tensors carry them.</summary>
    public List<string> Handles { get; } = [];

    /// <summary>Subgraphs that run once only, and have.</summary>
    public HashSet<int> Initialized { get; } = [];

    public Frame Main => FrameOf(0);

    public void Compute(CancellationToken cancel)
    {
        Cancel = cancel;
        Main.Run(this);
        Arena.Settle();
    }

    public Frame FrameOf(int subgraph) => _frames[subgraph] ??= new Frame(_plans[subgraph], this);

    /// <summary>Runs a subgraph on the elements of other tensors.</summary>
    public Frame Run(int subgraph, ReadOnlySpan<LiteTensor> inputs)
    {
        var frame = FrameOf(subgraph);
        if (frame.Inputs.Length != inputs.Length)
            throw new NnException(NnErrno.InvalidEncoding, $"a subgraph of {frame.Inputs.Length} inputs is called with {inputs.Length}");
        for (var i = 0; i < inputs.Length; i++) Copy(inputs[i], frame.Inputs[i]);
        frame.Run(this);
        return frame;
    }

    public void Copy(LiteTensor from, LiteTensor to)
    {
        if (from.Type != to.Type) throw new NnException(NnErrno.InvalidEncoding, $"the tensor {to.Name} is given elements of {from.Type}");
        if (ReferenceEquals(from, to)) return;
        Place(to, from.Shape);
        from.Bytes.CopyTo(to.Bytes);
    }

    public void Place(LiteTensor tensor, int[] shape)
    {
        // One that is still in place, as in the next turn of a loop, keeps its block where that is as long.
        if (tensor.HasElements && tensor.Bytes.Length == tensor.Length(shape) && !tensor.Spec.IsConstant && tensor.Release() is { } block)
        {
            tensor.Place(block, shape);
            return;
        }

        if (tensor.HasElements && tensor.Release() is { } old) Arena.Return(old);
        tensor.Place(Arena.Rent(tensor.Length(shape)), shape);
    }
}

/// <summary>The tensors of one subgraph.</summary>
sealed class Frame
{
    readonly LiteTensor[] _tensors;
    readonly Step[] _steps;
    readonly Call[] _calls;

    public Frame(Plan plan, Machine machine)
    {
        _tensors = [.. plan.Tensors.Select(static spec => new LiteTensor(spec))];
        foreach (var tensor in _tensors.Where(static tensor => tensor.Spec.IsVariable && !tensor.Spec.IsConstant))
        {
            tensor.Place(machine.Arena.Rent(tensor.Length(tensor.Shape)), tensor.Shape);
            tensor.Bytes.Clear();
        }

        _steps = plan.Steps;
        _calls = [.. plan.Steps.Select(step => new Call(step.Spec, Of(step.Spec.Inputs), Of(step.Spec.Outputs), machine))];
        Inputs = [.. plan.Inputs.Select(index => _tensors[index])];
        Outputs = [.. plan.Outputs.Select(index => _tensors[index])];
    }

    public LiteTensor[] Inputs { get; }

    public LiteTensor[] Outputs { get; }

    public void Run(Machine machine)
    {
        for (var i = 0; i < _steps.Length; i++)
        {
            machine.Cancel.ThrowIfCancellationRequested();
            _calls[i].Run(_steps[i].Kernel);
            foreach (var tensor in _steps[i].Releases)
            {
                if (_tensors[tensor].Release() is { } block) machine.Arena.Return(block);
            }
        }
    }

    LiteTensor?[] Of(int[] indices) => [.. indices.Select(index => index < 0 ? null : _tensors[index])];
}
