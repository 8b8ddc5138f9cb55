using Millrace.Wasm;

namespace Millrace.Nn.Calls;

/// <summary>A model that the guest loaded.</summary>
sealed class LoadedGraph(INnGraph graph, string? name, long bytes) : IDisposable
{
    public INnGraph Graph { get; } = graph;

    /// <summary>Under which it was loaded; null: the guest brought it.</summary>
    public string? Name { get; } = name;

    /// <summary>Bytes that the guest brought.</summary>
    public long Bytes { get; } = bytes;

    public bool IsUnloaded { get; private set; }

    public void Dispose()
    {
        IsUnloaded = true;
        Graph.Dispose();
    }
}

/// <summary>A context that the guest made.</summary>
sealed class LoadedContext(LoadedGraph graph, INnContext context)
{
    public LoadedGraph Graph { get; } = graph;

    public INnContext Context { get; } = context;

    /// <summary>Bytes of its inputs, by index.</summary>
    public Dictionary<int, long> Inputs { get; } = [];

    /// <summary>Tokens of the text that is being computed one by one.</summary>
    public int Tokens { get; set; }

    /// <summary>How that text ended, which is told until another begins; null: it has not.</summary>
    public NnException? End { get; set; }

    /// <summary>It, as one that computes token by token.</summary>
    public INnTextContext Text => Context as INnTextContext
        ?? throw new NnException(NnErrno.InvalidArgument, "only models of text compute token by token");

    public void BeginText() => (Tokens, End) = (0, null);
}

/// <summary>What one guest has loaded. One thread at a time.</summary>
sealed class NnSession(NnOptions options, INnModels models) : IDisposable
{
    // A guest in a loop would fill the disk.
    const int LinesMax = 1000;
    const int LineLengthMax = 2000;
    const int SaidLinesMax = 100_000;

    int _lines;
    int _saidLines;

    public NnOptions Options { get; } = options;

    public NnLimits Limits => Options.Limits;

    public INnModels Models { get; } = models;

    public HandleTable<LoadedGraph> Graphs { get; } = new("graph", options.Limits.GraphsMax);

    /// <summary>Sessions of <c>wasmedge_tensorflow</c>.</summary>
    public HandleTable<TensorFlowSession> TensorFlow { get; } = new("session", options.Limits.GraphsMax);

    public HandleTable<LoadedContext> Contexts { get; } = new("context", options.Limits.ContextsMax);

    /// <summary>Graphs by the name that they were loaded under.</summary>
    public Dictionary<string, uint> Named { get; } = [];

    /// <summary>Refuses models that with those already there would be over the limit.</summary>
    public void ReserveBuilderBytes(long bytes)
    {
        var held = Graphs.All.Sum(graph => graph.Bytes) + TensorFlow.All.Sum(one => one.Model.Length);
        if (held + bytes <= Limits.BuilderBytesMax) return;
        throw new NnException(
            NnErrno.TooLarge, $"{bytes} bytes of a model beside {held} of others; the limit is {Limits.BuilderBytesMax}");
    }

    /// <summary>Refuses an input that with those already there would be over the limit.</summary>
    /// <param name="former">Bytes of the one that it takes the place of.</param>
    public void ReserveInputBytes(long bytes, long former)
    {
        var others = Contexts.All.Sum(one => one.Inputs.Values.Sum()) + TensorFlow.All.Sum(one => one.InputBytes) - former;
        if (others + bytes <= Limits.InputBytesMax) return;
        throw new NnException(
            NnErrno.TooLarge, $"an input of {bytes} bytes beside {others} of others; the limit is {Limits.InputBytesMax}");
    }

    /// <summary>Loads a model, until it is done or the guest is stopped.</summary>
    public INnGraph Load(Func<CancellationToken, INnGraph> load)
    {
        try
        {
            return load(Options.Stop);
        }
        catch (OperationCanceledException) when (Options.Stop.IsCancellationRequested)
        {
            throw new TrapException(TrapCode.Interrupted);
        }
    }

    /// <summary>Computes until it is done, its time is over, or the guest is stopped.</summary>
    public void Compute(Action<CancellationToken> compute)
    {
        using var time = new CancellationTokenSource(Limits.ComputeTimeMax ?? Timeout.InfiniteTimeSpan, Options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, Options.Stop);
        try
        {
            if (!Options.Stop.IsCancellationRequested) compute(either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            if (!Options.Stop.IsCancellationRequested)
            {
                var seconds = Limits.ComputeTimeMax!.Value.TotalSeconds;
                throw new NnException(NnErrno.RuntimeError, $"the computation took longer than {seconds:0.###} s, its limit");
            }
        }

        if (Options.Stop.IsCancellationRequested) throw new TrapException(TrapCode.Interrupted);
    }

    /// <summary>A line for the person who runs the guest; parts of it are the guest's words.</summary>
    public void Log(string line)
    {
        if (_lines > LinesMax) return;
        Options.Log(_lines++ < LinesMax ? Plain(line) : $"wasi-nn: {LinesMax} lines; further ones are dropped");
    }

    /// <summary>A line of the guest's own: a server that runs for long may have many.</summary>
    public void Say(string line)
    {
        if (_saidLines > SaidLinesMax) return;
        Options.Log(_saidLines++ < SaidLinesMax ? Plain(line) : $"wasi:logging: {SaidLinesMax} lines; further ones are dropped");
    }

    /// <summary>One line without escape sequences for a terminal, and not too long: nobody forges another with it.</summary>
    static string Plain(string line)
    {
        if (line.Length > LineLengthMax) line = line[..LineLengthMax] + "…";
        return string.Concat(line.Select(static letter => letter is '\n' or '\u2028' or '\u2029' ? ' '
            : char.IsControl(letter) && letter != '\t' ? '?' : letter));
    }

    public void Dispose()
    {
        foreach (var context in Contexts.All) context.Context.Dispose();
        foreach (var graph in Graphs.All) graph.Dispose();
        foreach (var one in TensorFlow.All) one.Dispose();
    }
}
