using System.Collections.Frozen;
using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>One end of an edge, as the file declares it. Sizes: -1 where one is open.</summary>
sealed record IrPort(string Id, TensorType Type, ImmutableArray<long> Dimensions, ImmutableArray<string> Names);

/// <summary>How a body's parameter or result hangs together with a port of its layer.</summary>
/// <param name="ExternalPort">The layer's port; -1 for none.</param>
/// <param name="InternalLayer">The parameter or result of the body.</param>
/// <param name="Axis">Where a part of each iteration is cut out or put together; null where the whole is handed over.</param>
sealed record IrPortMap(
    string ExternalPort, string InternalLayer, string Purpose, int? Axis, long Start, long End, long Stride, long PartSize);

/// <summary>A body of a layer, with its ports.</summary>
/// <param name="BackEdges">From a result to the parameter that finds it in the next iteration.</param>
sealed record IrBody(
    IrNet Net,
    ImmutableArray<IrPortMap> Inputs,
    ImmutableArray<IrPortMap> Outputs,
    ImmutableArray<(string From, string To)> BackEdges);

/// <summary>An operation of the model, as the file has it.</summary>
sealed record IrLayer(
    string Id,
    string Name,
    string Type,
    string Version,
    ImmutableDictionary<string, string> Attributes,
    ImmutableArray<IrPort> Inputs,
    ImmutableArray<IrPort> Outputs,
    ImmutableDictionary<string, IrBody> Bodies)
{
    /// <summary>The layer in a sentence.</summary>
    public string Text => $"layer {Name} ({Type}, {Version})";

    /// <summary>The layer is not as its operator wants it.</summary>
    public NnException Malformed(string why) => new(NnErrno.InvalidEncoding, $"OpenVINO IR: {Text} is malformed: {why}");

    /// <summary>The layer is beyond what is converted.</summary>
    public NnException Refused(string why) =>
        new(NnErrno.UnsupportedOperation, $"OpenVINO IR: the operator {Type} of {Version} is not supported {why} (layer {Name})");
}

/// <summary>The graph of a model, or of a body.</summary>
/// <param name="Layers">In the file's order, which is that of the inputs and outputs.</param>
/// <param name="Edges">For an input, layer and port, where its value comes from.</param>
sealed record IrNet(
    ImmutableArray<IrLayer> Layers, ImmutableDictionary<(string Layer, string Port), (string Layer, string Port)> Edges)
{
    /// <summary>Layers by their identifiers.</summary>
    public ImmutableDictionary<string, IrLayer> ById { get; } = Layers.ToImmutableDictionary(layer => layer.Id);

    /// <summary>What layers give, by layer and port.</summary>
    public FrozenDictionary<(string Layer, string Port), IrPort> Outputs { get; } = Layers
        .SelectMany(layer => layer.Outputs.Select(port => (Key: (layer.Id, port.Id), Port: port)))
        .DistinctBy(pair => pair.Key).ToFrozenDictionary(pair => pair.Key, pair => pair.Port);
}
