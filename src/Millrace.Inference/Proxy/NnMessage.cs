using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Millrace.Nn;

namespace Millrace.Inference.Proxy;

/// <summary>What of the border to the backends is asked of the worker.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<NnOperation>))]
enum NnOperation
{
    /// <summary>Keeps bytes for the request that comes with the last of them.</summary>
    Append,
    Load,
    Create,
    SetInput,
    Compute,
    ComputeSingle,
    GetOutput,
    GetOutputSingle,
    FinishSingle,
    /// <summary>Frees a context.</summary>
    Finish,
    /// <summary>Frees a graph.</summary>
    Unload,
}

/// <summary>A request or its answer; raw bytes, of a model or a tensor, are the frame's body.</summary>
sealed record NnMessage(NnOperation Operation)
{
    /// <summary>Most bytes of one body; more come in several frames.</summary>
    public const int PartBytesMax = 16 << 20;

    /// <summary>Graph or context; of an answer, the new one.</summary>
    public long Handle { get; init; }

    /// <summary>Which request appended bytes are for; 0 where it has none but its own.</summary>
    public long Upload { get; init; }

    public int Index { get; init; }

    /// <summary>From where on an output is wanted.</summary>
    public int Offset { get; init; }

    /// <summary>Bytes of all of an output.</summary>
    public int Length { get; init; }

    /// <summary>Of an answer.</summary>
    public NnErrno Errno { get; init; }

    public NnModelFacts? Model { get; init; }

    public TensorType Type { get; init; }

    public ImmutableArray<long>? Dimensions { get; init; }

    public ImmutableArray<NnPortFacts>? Inputs { get; init; }

    public ImmutableArray<NnPortFacts>? Outputs { get; init; }

    /// <summary>Whether a context computes token by token.</summary>
    public bool IsText { get; init; }
}

/// <summary>A model without its bytes.</summary>
sealed record NnModelFacts(NnEncoding Encoding, NnTarget Target, ImmutableArray<int> Builders, ImmutableArray<string> Outputs)
{
    public string? Path { get; init; }

    /// <summary>Files that are opened here, whose bytes come before those of the request.</summary>
    public ImmutableArray<NnFile>? Files { get; init; }

    public string? Options { get; init; }

    public int? TokensMax { get; init; }
}

/// <summary>A port in JSON, which has no word for sizes that are not there.</summary>
sealed record NnPortFacts(string Name, TensorType? Type, ImmutableArray<long>? Dimensions)
{
    public static ImmutableArray<NnPortFacts> Of(ImmutableArray<TensorPort> ports) =>
        [.. ports.Select(port => new NnPortFacts(port.Name, port.Type, port.Dimensions.IsDefault ? null : port.Dimensions))];

    public TensorPort ToPort() => new(Name, Type, Dimensions ?? default);
}
