using System.Text;
using Millrace.Inference.OpenVino;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;

namespace Millrace.Inference.Tests.OpenVino;

/// <summary>Small models of one layer of interest.</summary>
public sealed class LoopTests
{
    const string Whole = "<dim>3</dim><dim>2</dim>";
    const string Part = "<dim>1</dim><dim>2</dim>";

    [SkippableFact]
    public void A_loop_cuts_each_of_its_inputs_into_parts()
    {
        var body = $"""
            <layers>
              {Parameter(0, "a", "1,2", Part)}
              {Parameter(1, "b", "1,2", Part)}
              <layer id="2" name="sum" type="Add" version="opset1"><data auto_broadcast="numpy"/>
                <input><port id="0" precision="FP32">{Part}</port><port id="1" precision="FP32">{Part}</port></input>
                <output><port id="2" precision="FP32">{Part}</port></output></layer>
              {Result(3, Part)}
            </layers>
            <edges>{Edge(0, 0, 2, 0)}{Edge(1, 0, 2, 1)}{Edge(2, 2, 3, 0)}</edges>
            """;
        var model = Net($"""
            {Parameter(0, "x", "3,2", Whole)}
            {Parameter(1, "y", "3,2", Whole)}
            <layer id="2" name="loop" type="TensorIterator" version="opset1">
              <input><port id="0" precision="FP32">{Whole}</port><port id="1" precision="FP32">{Whole}</port></input>
              <output><port id="2" precision="FP32">{Whole}</port></output>
              <port_map>
                <input external_port_id="0" internal_layer_id="0" axis="0" start="0" end="-1" stride="1" part_size="1"/>
                <input external_port_id="1" internal_layer_id="1" axis="0" start="-1" end="0" stride="-1" part_size="1"/>
                <output external_port_id="2" internal_layer_id="3" axis="0" start="0" end="-1" stride="1" part_size="1"/>
              </port_map>
              <back_edges/>
              <body>{body}</body>
            </layer>
            {Result(3, Whole)}
            """, Edge(0, 0, 2, 0) + Edge(1, 0, 2, 1) + Edge(2, 2, 3, 0));

        var x = Tensors.Of<float>(TensorType.F32, [3, 2], 1, 2, 3, 4, 5, 6);
        var y = Tensors.Of<float>(TensorType.F32, [3, 2], 10, 20, 30, 40, 50, 60);

        Assert.Null(Tensors.Difference(Tensors.Of<float>(TensorType.F32, [3, 2], 51, 62, 33, 44, 15, 26), Computed(model, x, y), 0, 0));
    }

    [SkippableFact]
    public void Sums_run_along_the_first_axis_where_none_is_named()
    {
        var model = Net($"""
            {Parameter(0, "x", "3,2", Whole)}
            <layer id="1" name="sums" type="CumSum" version="opset3">
              <input><port id="0" precision="FP32">{Whole}</port></input>
              <output><port id="1" precision="FP32">{Whole}</port></output>
            </layer>
            {Result(2, Whole)}
            """, Edge(0, 0, 1, 0) + Edge(1, 1, 2, 0));

        var sums = Computed(model, Tensors.Of<float>(TensorType.F32, [3, 2], 1, 2, 3, 4, 5, 6));

        Assert.Null(Tensors.Difference(Tensors.Of<float>(TensorType.F32, [3, 2], 1, 2, 4, 6, 9, 12), sums, 0, 0));
    }

    static Tensor Computed(string model, params Tensor[] inputs)
    {
        var backend = new OpenVinoBackend();
        Skip.If(backend.WhyAbsent is not null, backend.WhyAbsent);
        using var graph = backend.Load(new NnModel([Encoding.UTF8.GetBytes(model)]));
        using var context = graph.CreateContext();
        for (var i = 0; i < inputs.Length; i++) context.SetInput(i, inputs[i]);
        context.Compute(default);
        return context.GetOutput(0);
    }

    static string Net(string layers, string edges) =>
        $"""<?xml version="1.0"?><net name="sample" version="11"><layers>{layers}</layers><edges>{edges}</edges></net>""";

    static string Parameter(int id, string name, string shape, string row) => $"""
        <layer id="{id}" name="{name}" type="Parameter" version="opset1"><data shape="{shape}" element_type="f32"/>
          <output><port id="0" precision="FP32" names="{name}">{row}</port></output></layer>
        """;

    static string Result(int id, string row) => $"""
        <layer id="{id}" name="result" type="Result" version="opset1"><input><port id="0" precision="FP32">{row}</port></input></layer>
        """;

    static string Edge(int from, int fromPort, int to, int toPort) =>
        $"""<edge from-layer="{from}" from-port="{fromPort}" to-layer="{to}" to-port="{toPort}"/>""";
}
