using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millrace.Nn;

/// <summary>
/// The head of <c>nn.load</c> and <c>nn.compute</c>, as a flow's guest asks at the door. A model is either one that was
/// granted, by its name, or one whose builders are the body of <c>nn.load</c>; the key that this answers stands for it then.
/// The body of <c>nn.compute</c> is the bytes of the inputs, one after the other.
/// </summary>
public sealed record NnAsk
{
    /// <summary>A model by its name; null for one that the guest brings.</summary>
    public string? Name { get; init; }

    /// <summary>Options of a model by its name, JSON; null for none.</summary>
    public string? Options { get; init; }

    /// <summary>Of <c>nn.compute</c>: the key of a model that the guest brought.</summary>
    public string? Model { get; init; }

    /// <summary>Of a model that the guest brings.</summary>
    public NnEncoding? Encoding { get; init; }

    /// <summary>Of a model that the guest brings.</summary>
    public NnTarget Target { get; init; }

    /// <summary>Bytes of each builder in the body.</summary>
    public ImmutableArray<int> Builders { get; init; } = [];

    /// <summary>Tensors wanted as outputs instead of the model's own; empty for these.</summary>
    public ImmutableArray<string> Outputs { get; init; } = [];

    /// <summary>Of <c>nn.compute</c>.</summary>
    public ImmutableArray<NnInput> Inputs { get; init; } = [];

    /// <summary>Whether a text is wanted with the places where its tokens end.</summary>
    public bool IsSingle { get; init; }

    /// <summary>Reads a head that a guest wrote.</summary>
    /// <exception cref="NnException">It is not as it is described here.</exception>
    public static NnAsk Read(ReadOnlyMemory<byte> head)
    {
        try
        {
            return JsonSerializer.Deserialize<NnAsk>(head.Span, NnJson.Options) ?? throw new JsonException("it is null");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new NnException(NnErrno.InvalidArgument, $"the head is not that of an nn operation: {e.Message}");
        }
    }

    /// <summary>The head's bytes.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, NnJson.Options);
}

/// <summary>An input of <c>nn.compute</c>; its bytes are as many as type and sizes say.</summary>
/// <param name="Index">Which.</param>
/// <param name="Type">What the elements are.</param>
/// <param name="Shape">Sizes, outermost first.</param>
public sealed record NnInput(int Index, TensorType Type, ImmutableArray<long> Shape);

/// <summary>An input or output in JSON, which has no word for sizes that are not there.</summary>
/// <param name="Name">The model's own name for it.</param>
/// <param name="Type">What the elements are; null where the model leaves it open.</param>
/// <param name="Shape">Sizes, -1 where one is open; null where even their number is.</param>
public sealed record NnPort(string Name, TensorType? Type, ImmutableArray<long>? Shape)
{
    /// <summary>These ports for JSON.</summary>
    public static ImmutableArray<NnPort> Of(ImmutableArray<TensorPort> ports) =>
        [.. ports.Select(port => new NnPort(port.Name, port.Type, port.Dimensions.IsDefault ? null : port.Dimensions))];

    /// <summary>The port.</summary>
    public TensorPort ToPort() => new(Name, Type, Shape ?? default);
}

/// <summary>
/// The head that <c>nn.load</c> and <c>nn.compute</c> answer. The body of the latter is the bytes of the outputs, one after
/// the other; of a text they are itself and what can be told about it.
/// </summary>
public sealed record NnAnswer
{
    /// <summary>Of <c>nn.load</c>: the key of a model that the guest brought.</summary>
    public string? Model { get; init; }

    /// <summary>Of <c>nn.load</c>: whether it computes texts.</summary>
    public bool IsText { get; init; }

    /// <summary>Of <c>nn.load</c>.</summary>
    public ImmutableArray<NnPort> Inputs { get; init; } = [];

    /// <summary>What it gives; of <c>nn.compute</c> what it gave.</summary>
    public ImmutableArray<NnPort> Outputs { get; init; } = [];

    /// <summary>Bytes of each token of a text.</summary>
    public ImmutableArray<int> Pieces { get; init; } = [];

    /// <summary>How a text ended that is there all the same.</summary>
    public NnErrno Errno { get; init; }

    /// <summary>What the errno means here.</summary>
    public string? Detail { get; init; }

    /// <summary>The head's bytes.</summary>
    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, NnJson.Options);

    /// <summary>Reads what the host answered.</summary>
    public static NnAnswer Read(ReadOnlyMemory<byte> head) => JsonSerializer.Deserialize<NnAnswer>(head.Span, NnJson.Options)!;
}

static class NnJson
{
    public static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        AllowDuplicateProperties = false,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Converters =
        {
            new JsonStringEnumConverter<NnEncoding>(new LowerCase(), allowIntegerValues: false),
            new JsonStringEnumConverter<NnTarget>(new LowerCase(), allowIntegerValues: false),
            new JsonStringEnumConverter<TensorType>(new LowerCase(), allowIntegerValues: false),
        },
    };

    sealed class LowerCase : JsonNamingPolicy
    {
        public override string ConvertName(string name) => name.ToLowerInvariant();
    }
}
