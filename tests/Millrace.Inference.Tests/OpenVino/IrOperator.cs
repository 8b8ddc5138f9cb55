using System.Globalization;
using System.Text;
using Millrace.Inference.OpenVino;
using Millrace.Nn;

namespace Millrace.Inference.Tests.OpenVino;

/// <summary>A model of one layer: its first inputs are the model's, the others constants.</summary>
static class IrOperator
{
    /// <summary>Computes the layer.</summary>
    /// <param name="outputs">The type of each output; their sizes are left open, and there are so many.</param>
    public static Tensor[] Compute(
        string type, string version, string attributes, Tensor[] inputs, Tensor[] constants, params (TensorType Type, int Rank)[] outputs)
    {
        var backend = new OpenVinoBackend();
        Skip.If(backend.WhyAbsent is not null, backend.WhyAbsent);
        var (xml, weights) = Write(type, version, attributes, inputs, constants, outputs);
        using var graph = backend.Load(new NnModel([Encoding.UTF8.GetBytes(xml), weights]));
        using var context = graph.CreateContext();
        for (var i = 0; i < inputs.Length; i++) context.SetInput(i, inputs[i]);
        context.Compute(default);
        return [.. Enumerable.Range(0, outputs.Length).Select(context.GetOutput)];
    }

    static (string Xml, byte[] Weights) Write(
        string type, string version, string attributes, Tensor[] inputs, Tensor[] constants, (TensorType Type, int Rank)[] outputs)
    {
        var (layers, edges, weights) = (new StringBuilder(), new StringBuilder(), new List<byte>());
        Tensor[] all = [.. inputs, .. constants];
        for (var i = 0; i < all.Length; i++)
        {
            var (kind, sizes) = (i < inputs.Length ? "Parameter" : "Const", string.Join(",", all[i].Dimensions));
            var place = i < inputs.Length
                ? "" : string.Create(CultureInfo.InvariantCulture, $"offset=\"{weights.Count}\" size=\"{all[i].Data.Length}\"");
            if (i >= inputs.Length) weights.AddRange(all[i].Data.Span);
            layers.Append(CultureInfo.InvariantCulture, $"""
                <layer id="{i}" name="in{i}" type="{kind}" version="opset1">
                <data shape="{sizes}" element_type="{all[i].Type.ToString().ToLowerInvariant()}" {place}/>
                <output>{Port(0, all[i].Type, all[i].Dimensions)}</output></layer>
                """);
            edges.Append(CultureInfo.InvariantCulture, $"""<edge from-layer="{i}" from-port="0" to-layer="100" to-port="{i}"/>""");
        }

        layers.Append(CultureInfo.InvariantCulture, $"""
            <layer id="100" name="it" type="{type}" version="{version}"><data {attributes}/>
            <input>{string.Concat(all.Select((input, i) => Port(i, input.Type, input.Dimensions)))}</input>
            <output>{string.Concat(outputs.Select((output, i) =>
                Port(50 + i, output.Type, Enumerable.Repeat(-1L, output.Rank))))}</output></layer>
            """);
        for (var i = 0; i < outputs.Length; i++)
        {
            layers.Append(CultureInfo.InvariantCulture, $"""
                <layer id="{200 + i}" name="out{i}" type="Result" version="opset1"><input>{Port(0, outputs[i].Type, [])}</input></layer>
                """);
            edges.Append(
                CultureInfo.InvariantCulture, $"""<edge from-layer="100" from-port="{50 + i}" to-layer="{200 + i}" to-port="0"/>""");
        }

        return ($"""<net name="one" version="11"><layers>{layers}</layers><edges>{edges}</edges></net>""", [.. weights]);
    }

    static string Port(int id, TensorType type, IEnumerable<long> sizes) => string.Create(
        CultureInfo.InvariantCulture,
        $"""<port id="{id}" precision="{type}">{string.Concat(sizes.Select(size => $"<dim>{size}</dim>"))}</port>""");
}
