using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Nn;

namespace Millrace.Sandbox.Computing;

/// <summary>A model that the host has. One that the guest brought is brought again when the host let go of it.</summary>
sealed class DoorGraph : INnGraph
{
    readonly DoorModels _models;
    readonly ImmutableArray<ReadOnlyMemory<byte>> _builders;
    NnAsk _model;
    string? _key;

    public DoorGraph(DoorModels models, NnAsk model, ImmutableArray<ReadOnlyMemory<byte>> builders)
    {
        (_models, _model, _builders) = (models, model, builders);
        var loaded = Load();
        (IsText, Inputs, Outputs) = (loaded.IsText, Ports(loaded.Inputs), Ports(loaded.Outputs));
    }

    public bool IsText { get; }

    public ImmutableArray<TensorPort> Inputs { get; }

    public ImmutableArray<TensorPort> Outputs { get; private set; }

    public INnContext CreateContext() => IsText ? new DoorTextContext(_models, this) : new DoorContext(_models, this);

    /// <summary>Lays options over those that the model has: contexts change the graph's.</summary>
    /// <exception cref="NnException">No JSON object.</exception>
    public void SetOptions(string json)
    {
        var options = Parse(_model.Options ?? Brought() ?? "{}");
        foreach (var (name, value) in Parse(json)) options[name] = value?.DeepClone();
        _model = _model with { Options = options.ToJsonString() };
        // Of a model that was brought they are a part.
        _key = null;
    }

    /// <summary>Computes, and takes note of what a model gives that knows it only then.</summary>
    public (NnAnswer Head, ReadOnlyMemory<byte> Body) Compute(IReadOnlyDictionary<int, Tensor> inputs, bool isSingle)
    {
        var ask = new NnAsk
        {
            Inputs = [.. inputs.Select(input => new NnInput(input.Key, input.Value.Type, input.Value.Dimensions))],
            IsSingle = isSingle,
        };
        var (head, body) = Compute(ask, inputs.Values.Select(input => input.Data));
        if (!IsText && Outputs.IsEmpty) Outputs = [.. head.Outputs.Select(output => new TensorPort(output.Name, null, default))];
        return (head, body);
    }

    public void Dispose()
    {
        // The host keeps models for a while, whoever had them loaded.
    }

    (NnAnswer Head, ReadOnlyMemory<byte> Body) Compute(NnAsk ask, IEnumerable<ReadOnlyMemory<byte>> body)
    {
        if (_model.Name is not null) return _models.Ask("nn.compute", ask with { Name = _model.Name, Options = _model.Options }, body);
        var isNew = _key is null;
        if (isNew) Load();
        try
        {
            return _models.Ask("nn.compute", ask with { Model = _key }, body);
        }
        catch (NnException e) when (e.Errno == NnErrno.NotFound && !isNew)
        {
            Load();
            return _models.Ask("nn.compute", ask with { Model = _key }, body);
        }
    }

    NnAnswer Load()
    {
        var builders = _builders;
        if (_model is { Name: null, Options: { } options }) builders = [builders[0], Encoding.UTF8.GetBytes(options)];
        var ask = _model.Name is null
            ? _model with { Options = null, Builders = [.. builders.Select(builder => builder.Length)] } : _model;
        var loaded = _models.Ask("nn.load", ask, builders).Head;
        _key = loaded.Model;
        return loaded;
    }

    string? Brought() => _builders.Length > 1 ? Encoding.UTF8.GetString(_builders[1].Span) : null;

    static JsonObject Parse(string json)
    {
        try
        {
            return JsonNode.Parse(json, null, new() { AllowDuplicateProperties = false }) as JsonObject
                ?? throw new NnException(NnErrno.InvalidEncoding, "options of a model are a JSON object");
        }
        catch (JsonException e)
        {
            throw new NnException(NnErrno.InvalidEncoding, $"options of a model are a JSON object: {e.Message}");
        }
    }

    static ImmutableArray<TensorPort> Ports(ImmutableArray<NnPort> ports) => [.. ports.Select(port => port.ToPort())];
}
