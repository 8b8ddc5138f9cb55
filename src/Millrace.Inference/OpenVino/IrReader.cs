using System.Collections.Immutable;
using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Reads the XML of an IR of version 10 or 11. No entity, no other file, no more depth than a model has.</summary>
static class IrReader
{
    // Narrow numbers become bytes when their constant is read.
    static readonly Dictionary<string, TensorType> Types = new (TensorType Type, string Names)[]
    {
        (TensorType.F16, "f16 fp16"), (TensorType.F32, "f32 fp32"), (TensorType.F64, "f64 fp64"),
        (TensorType.U8, "u8 u4 u1 bin"), (TensorType.I8, "i8 i4"), (TensorType.U16, "u16"), (TensorType.I16, "i16"),
        (TensorType.U32, "u32"), (TensorType.I32, "i32"), (TensorType.U64, "u64"), (TensorType.I64, "i64"),
        (TensorType.Bool, "boolean bool"),
    }.SelectMany(row => row.Names.Split(' ').Select(name => (name, row.Type)))
        .ToDictionary(pair => pair.name, pair => pair.Type, StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads a model.</summary>
    /// <exception cref="NnException">It is no IR of a version that is known, or it is damaged.</exception>
    public static IrNet Read(ReadOnlyMemory<byte> xml)
    {
        if (xml.IsEmpty) throw Malformed("the XML has no bytes");
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            IgnoreComments = true,
            IgnoreWhitespace = true,
        };
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(xml.ToArray()), settings);
            var root = XDocument.Load(reader).Root!;
            if (root.Name != "net") throw Malformed($"its root is {root.Name}, not net");
            var version = Attribute(root, "version");
            if (version is not ("10" or "11"))
            {
                throw new NnException(
                    NnErrno.InvalidEncoding, $"this is an OpenVINO IR of version {version}; 10 and 11 can be read: convert the model anew");
            }

            return Net(root, depth: 0);
        }
        catch (XmlException e)
        {
            throw Malformed($"the XML cannot be read: {e.Message}");
        }
    }

    /// <summary>An element type by its name in attributes; null where there is none here.</summary>
    public static TensorType? Type(string name) => Types.TryGetValue(name, out var type) ? type : null;

    static IrNet Net(XElement net, int depth)
    {
        if (depth > OnnxReader.DepthMax) throw Malformed($"bodies lie more than {OnnxReader.DepthMax} deep");
        var layers = (net.Element("layers")?.Elements("layer") ?? []).Select(layer => Layer(layer, depth)).ToImmutableArray();
        if (layers.IsEmpty) throw Malformed("there are no layers");
        var twice = layers.GroupBy(layer => layer.Id).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null) throw Malformed($"two layers have the identifier {twice.Key}");
        var edges = ImmutableDictionary.CreateBuilder<(string, string), (string, string)>();
        foreach (var edge in net.Element("edges")?.Elements("edge") ?? [])
        {
            var to = (Attribute(edge, "to-layer"), Attribute(edge, "to-port"));
            if (!edges.TryAdd(to, (Attribute(edge, "from-layer"), Attribute(edge, "from-port"))))
                throw Malformed($"two edges lead to port {to.Item2} of layer {to.Item1}");
        }

        return new(layers, edges.ToImmutable());
    }

    static IrLayer Layer(XElement layer, int depth)
    {
        var (name, type) = ((string?)layer.Attribute("name") ?? Attribute(layer, "id"), Attribute(layer, "type"));
        var attributes = layer.Element("data")?.Attributes() ?? [];
        return new(
            Attribute(layer, "id"), name, type, (string?)layer.Attribute("version") ?? "no version",
            attributes.ToImmutableDictionary(attribute => attribute.Name.LocalName, attribute => attribute.Value),
            Ports(layer.Element("input"), name), Ports(layer.Element("output"), name), Bodies(layer, depth));
    }

    static ImmutableArray<IrPort> Ports(XElement? ports, string layer) =>
        [.. (ports?.Elements("port") ?? []).Select(port => Port(port, layer))];

    static IrPort Port(XElement port, string layer)
    {
        var precision = (string?)port.Attribute("precision") ?? "FP32";
        var type = Type(precision) ?? throw new NnException(
            NnErrno.UnsupportedOperation, $"OpenVINO IR: layer {layer} has values of type {precision}, which are not supported");
        var names = (string?)port.Attribute("names") ?? "";
        return new(
            Attribute(port, "id"), type, [.. port.Elements("dim").Select(size => Size(size.Value, layer))],
            [.. names.Split(',', StringSplitOptions.RemoveEmptyEntries)]);
    }

    static long Size(string text, string layer)
    {
        if (text == "?") return -1;
        var isNumber = long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var size);
        return isNumber && size is >= -1 and <= int.MaxValue ? size : throw Malformed($"layer {layer} has a size of {text}");
    }

    static ImmutableDictionary<string, IrBody> Bodies(XElement layer, int depth)
    {
        var bodies = ImmutableDictionary.CreateBuilder<string, IrBody>();
        foreach (var (body, map) in new[] { ("body", "port_map"), ("then_body", "then_port_map"), ("else_body", "else_port_map") })
        {
            if (layer.Element(body) is not { } net) continue;
            bodies.Add(body, new(
                Net(net, depth + 1),
                [.. (layer.Element(map)?.Elements("input") ?? []).Select(PortMap)],
                [.. (layer.Element(map)?.Elements("output") ?? []).Select(PortMap)],
                [.. (layer.Element("back_edges")?.Elements("edge") ?? []).Select(BackEdge)]));
        }

        return bodies.ToImmutable();
    }

    static (string From, string To) BackEdge(XElement edge) => (Attribute(edge, "from-layer"), Attribute(edge, "to-layer"));

    static IrPortMap PortMap(XElement map)
    {
        var axis = map.Attribute("axis") is null ? null : (int?)Number(map, "axis", 0);
        return new(
            Attribute(map, "external_port_id"), Attribute(map, "internal_layer_id"), (string?)map.Attribute("purpose") ?? "", axis,
            Number(map, "start", 0), Number(map, "end", -1), Number(map, "stride", 1), Number(map, "part_size", 1));
    }

    static long Number(XElement element, string name, long otherwise)
    {
        if ((string?)element.Attribute(name) is not { } text) return otherwise;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && int.MinValue < number
            ? number : throw Malformed($"{name} of a port map is {text}");
    }

    static string Attribute(XElement element, string name) =>
        (string?)element.Attribute(name) ?? throw Malformed($"a {element.Name.LocalName} has no {name}");

    static NnException Malformed(string why) => new(NnErrno.InvalidEncoding, $"OpenVINO IR is malformed: {why}");
}
