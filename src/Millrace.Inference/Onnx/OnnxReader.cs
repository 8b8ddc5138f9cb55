using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.Onnx;

/// <summary>An input or output as the model declares it; <paramref name="Kind"/> says what it is where it is no tensor.</summary>
sealed record OnnxPort(string Name, string? Kind, OnnxType Type, ImmutableArray<long> Dimensions);

/// <summary>An operator of a model, and the first node that uses it.</summary>
sealed record OnnxOperator(string Domain, string Name, string Node)
{
    /// <summary>The name with the domain, where that is not ONNX's own.</summary>
    public string FullName => Domain.Length > 0 ? $"{Domain}:{Name}" : Name;
}

/// <summary>What a model says of itself, without computing anything.</summary>
/// <param name="Inputs">What is to be fed: weights that old models list among the inputs are not here.</param>
/// <param name="Outputs">What it gives.</param>
/// <param name="Operators">Each once, those of bodies too.</param>
/// <param name="Opsets">The versions of the operator sets, by domain.</param>
/// <param name="ExternalTensors">Weights that lie in other files.</param>
sealed record OnnxSummary(
    ImmutableArray<OnnxPort> Inputs,
    ImmutableArray<OnnxPort> Outputs,
    ImmutableArray<OnnxOperator> Operators,
    ImmutableDictionary<string, long> Opsets,
    ImmutableArray<string> ExternalTensors);

/// <summary>Reads what a host must know of a model before an engine sees it.</summary>
sealed class OnnxReader
{
    /// <summary>
    /// Bodies inside bodies. Real models need two or three, a chain of conditions one for each of them. The engine takes twice as
    /// long to load a model for every body that lies in another: seconds for as many as this, and for twice as many a day.
    /// </summary>
    public const int DepthMax = 16;

    readonly List<OnnxPort> _inputs = [];
    readonly List<OnnxPort> _outputs = [];
    readonly HashSet<string> _constants = new(StringComparer.Ordinal);
    readonly Dictionary<(string Domain, string Name), OnnxOperator> _operators = [];
    readonly Dictionary<string, long> _opsets = new(StringComparer.Ordinal);
    readonly HashSet<(string Domain, string Name)> _functions = [];
    readonly List<string> _external = [];

    /// <summary>Reads a model.</summary>
    /// <exception cref="NnException">It is no ONNX model.</exception>
    public static OnnxSummary Read(ReadOnlyMemory<byte> model)
    {
        if (model.IsEmpty) throw new NnException(NnErrno.InvalidEncoding, "the ONNX model is empty: it has no bytes");
        var reader = new OnnxReader();
        reader.ReadModel(new ProtoReader(model, "the ONNX model"));
        return new(
            [.. reader._inputs.Where(input => !reader._constants.Contains(input.Name))],
            [.. reader._outputs],
            [.. reader._operators.Where(entry => !reader._functions.Contains(entry.Key)).Select(entry => entry.Value)],
            reader._opsets.ToImmutableDictionary(),
            [.. reader._external]);
    }

    void ReadModel(ProtoReader model)
    {
        var hasGraph = false;
        while (model.Next())
        {
            switch (model.Field)
            {
                case 7:
                    hasGraph = true;
                    ReadGraph(model.Message, depth: 0);
                    break;
                case 8: ReadOpset(model.Message); break;
                case 25: ReadFunction(model.Message); break;
                default: break;
            }
        }

        if (!hasGraph) throw new NnException(NnErrno.InvalidEncoding, "the ONNX model is damaged: it has no graph");
    }

    void ReadOpset(ProtoReader opset)
    {
        var (domain, version) = ("", 0L);
        while (opset.Next())
        {
            if (opset.Field == 1) domain = opset.Text;
            if (opset.Field == 2) version = opset.Number;
        }

        _opsets[domain] = version;
    }

    // A model's own functions are made of operators; the operators count, not the functions.
    void ReadFunction(ProtoReader function)
    {
        var (domain, name) = ("", "");
        while (function.Next())
        {
            switch (function.Field)
            {
                case 1: name = function.Text; break;
                case 7: ReadNode(function.Message, depth: 1); break;
                case 10: domain = function.Text; break;
                default: break;
            }
        }

        _functions.Add((domain, name));
    }

    void ReadGraph(ProtoReader graph, int depth)
    {
        if (depth > DepthMax) throw new NnException(NnErrno.TooLarge, $"bodies of the ONNX model lie more than {DepthMax} deep");
        while (graph.Next())
        {
            switch (graph.Field)
            {
                case 1: ReadNode(graph.Message, depth); break;
                case 5: ReadTensor(graph.Message, depth); break;
                case 15: ReadSparseTensor(graph.Message); break;
                case 11 when depth == 0: _inputs.Add(ReadPort(graph.Message)); break;
                case 12 when depth == 0: _outputs.Add(ReadPort(graph.Message)); break;
                default: break;
            }
        }
    }

    void ReadNode(ProtoReader node, int depth)
    {
        var (domain, op, name) = ("", "", "");
        while (node.Next())
        {
            switch (node.Field)
            {
                case 3: name = node.Text; break;
                case 4: op = node.Text; break;
                case 5: ReadAttribute(node.Message, depth); break;
                case 7: domain = node.Text; break;
                default: break;
            }
        }

        if (domain == "ai.onnx") domain = "";
        _operators.TryAdd((domain, op), new(domain, op, name));
    }

    void ReadAttribute(ProtoReader attribute, int depth)
    {
        while (attribute.Next())
        {
            switch (attribute.Field)
            {
                case 5 or 10: ReadTensor(attribute.Message, depth: 1); break;
                case 6 or 11: ReadGraph(attribute.Message, depth + 1); break;
                case 22 or 23: ReadSparseTensor(attribute.Message); break;
                default: break;
            }
        }
    }

    void ReadTensor(ProtoReader tensor, int depth)
    {
        var (name, isExternal) = ("", false);
        while (tensor.Next())
        {
            if (tensor.Field == 8) name = tensor.Text;
            if (tensor.Field == 13 || tensor.Field == 14 && tensor.Number == 1) isExternal = true;
        }

        if (depth == 0) _constants.Add(name);
        if (isExternal) _external.Add(name);
    }

    // Its values and its indices are tensors.
    void ReadSparseTensor(ProtoReader sparse)
    {
        while (sparse.Next())
        {
            if (sparse.Field is 1 or 2) ReadTensor(sparse.Message, depth: 1);
        }
    }

    static OnnxPort ReadPort(ProtoReader port)
    {
        var read = new OnnxPort("", "of no type", default, default);
        while (port.Next())
        {
            if (port.Field == 1) read = read with { Name = port.Text };
            if (port.Field == 2) read = ReadType(port.Message, read);
        }

        return read;
    }

    static OnnxPort ReadType(ProtoReader type, OnnxPort port)
    {
        while (type.Next())
        {
            switch (type.Field)
            {
                case 1: port = ReadTensorType(type.Message, port with { Kind = null }); break;
                case 4: return port with { Kind = "a sequence" };
                case 5: return port with { Kind = "a map" };
                case 8: return port with { Kind = "a sparse tensor" };
                case 9: return port with { Kind = "an optional" };
                default: break;
            }
        }

        return port;
    }

    static OnnxPort ReadTensorType(ProtoReader type, OnnxPort port)
    {
        while (type.Next())
        {
            if (type.Field == 1) port = port with { Type = (OnnxType)type.Number };
            if (type.Field == 2) port = port with { Dimensions = ReadShape(type.Message) };
        }

        return port;
    }

    static ImmutableArray<long> ReadShape(ProtoReader shape)
    {
        var sizes = ImmutableArray.CreateBuilder<long>();
        while (shape.Next())
        {
            if (shape.Field != 1) continue;
            long size = -1;
            var dimension = shape.Message;
            while (dimension.Next())
            {
                if (dimension.Field == 1) size = dimension.Number < 0 ? -1 : dimension.Number;
            }

            sizes.Add(size);
        }

        return sizes.ToImmutable();
    }
}
