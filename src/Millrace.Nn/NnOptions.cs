using System.Collections.Immutable;

namespace Millrace.Nn;

/// <summary>What a guest finds behind <c>wasi_ephemeral_nn</c>, and how much of it it may take.</summary>
public sealed record NnOptions
{
    /// <summary>The engines.</summary>
    public ImmutableArray<INnBackend> Backends { get; init; } = [];

    /// <summary>The models that it may load by name, and no others of the host's.</summary>
    public ImmutableDictionary<string, NamedModel> Models { get; init; } = ImmutableDictionary<string, NamedModel>.Empty;

    /// <summary>Finds a further model by the name that it is asked for, as one of a store that grows. Default: none.</summary>
    public Func<string, NamedModel?> FindModel { get; init; } = _ => null;

    /// <summary>How much it may take.</summary>
    public NnLimits Limits { get; init; } = new();

    /// <summary>Takes a line for each call that fails, and those that the guest logs. Default: dropped.</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>Ends a computation, and with it the guest: <see cref="Wasm.TrapCode.Interrupted"/>.</summary>
    public CancellationToken Stop { get; init; }

    /// <summary>Where time is read.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>How much a guest may take. What is over it is refused with an error, and a line says which limit it was.</summary>
public sealed record NnLimits
{
    /// <summary>Graphs loaded at one time.</summary>
    public int GraphsMax { get; init; } = 64;

    /// <summary>Contexts at one time.</summary>
    public int ContextsMax { get; init; } = 256;

    /// <summary>Parts of one model that the guest brings itself.</summary>
    public int BuildersMax { get; init; } = 64;

    /// <summary>Bytes of all models that are loaded and that the guest brought itself.</summary>
    public long BuilderBytesMax { get; init; } = 2L << 30;

    /// <summary>Bytes of one tensor.</summary>
    public long TensorBytesMax { get; init; } = 512L << 20;

    /// <summary>Bytes of all inputs that are set.</summary>
    public long InputBytesMax { get; init; } = 1L << 30;

    /// <summary>Bytes of a name or of options.</summary>
    public int TextBytesMax { get; init; } = 1 << 20;

    /// <summary>Tokens of one text; null: what the options say.</summary>
    public int? TokensMax { get; init; }

    /// <summary>Time of one computation; null: until the guest's own time is over.</summary>
    public TimeSpan? ComputeTimeMax { get; init; }
}
