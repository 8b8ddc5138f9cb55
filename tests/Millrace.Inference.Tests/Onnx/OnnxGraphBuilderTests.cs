using System.Runtime.InteropServices;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.Tests.Onnx;

public sealed class OnnxGraphBuilderTests
{
    [Fact]
    public void Reads_back_the_ports_and_operators_that_were_written()
    {
        var graph = new OnnxGraphBuilder();
        var x = graph.AddInput("x", TensorType.F32, [-1, 3]);
        var open = graph.AddInput("open", TensorType.I64, default);
        var w = graph.AddConstant(new Tensor(TensorType.F32, [3, 100], MemoryMarshal.AsBytes(new float[300].AsSpan()).ToArray()), "w");
        var body = graph.Body();
        body.AddOutput("b", body.AddNode("Relu", [x]), TensorType.F32, [-1, 3]);
        graph.AddNode("If", [open], new("then_branch", body), new("else_branch", body));
        var parts = graph.AddNodes("Split", [graph.AddNode("MatMul", [x, w])], outputs: 2, new("axis", 1L), new("num_outputs", 2L));
        graph.AddOutput("y", parts[0], TensorType.F32, [-1, 50]);

        var summary = OnnxReader.Read(graph.ToModel().Bytes);

        Assert.Equal(["x", "open"], summary.Inputs.Select(port => port.Name));
        Assert.Equal<long>([-1, 3], summary.Inputs[0].Dimensions);
        Assert.True(summary.Inputs[1].Dimensions.IsDefault);
        Assert.Equal(OnnxType.I64, summary.Inputs[1].Type);
        Assert.Equal<long>([-1, 50], summary.Outputs.Single().Dimensions);
        Assert.Equal(["If", "MatMul", "Relu", "Split"], summary.Operators.Select(op => op.Name).Order());
        Assert.Equal(OnnxGraphBuilder.Opset, summary.Opsets[""]);
    }

    [Fact]
    public void Gives_equal_names_a_number_and_lets_any_value_be_an_output()
    {
        var graph = new OnnxGraphBuilder();
        var first = graph.AddInput("x", TensorType.F32, []);
        var second = graph.AddInput("x", TensorType.F32, []);
        var sum = graph.AddNode("Add", [first, second]);
        graph.AddOutput("x", first, TensorType.F32, []);
        graph.AddOutput("s", sum, TensorType.F32, []);
        graph.AddOutput("t", sum, TensorType.F32, []);

        var model = graph.ToModel();
        var summary = OnnxReader.Read(model.Bytes);

        Assert.NotEqual(first, second);
        Assert.Equal(["x", "s", "t"], model.Outputs.Select(port => port.Name));
        Assert.Equal(3, summary.Outputs.Select(port => port.Name).Distinct().Count());
        Assert.Contains(summary.Operators, op => op.Name == "Identity");
    }

    [Fact]
    public void Refuses_a_constant_whose_bytes_its_sizes_do_not_say() =>
        Assert.Throws<ArgumentException>(() => new OnnxGraphBuilder().AddConstant(new Tensor(TensorType.F32, [2], new byte[7])));

    [Fact]
    public void Reads_random_and_cut_bytes_as_damaged_and_in_no_other_way()
    {
        var graph = new OnnxGraphBuilder();
        graph.AddOutput("y", graph.AddNode("Relu", [graph.AddInput("x", TensorType.F32, [2])]), TensorType.F32, [2]);
        var whole = graph.ToModel().Bytes;
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = i % 2 == 0 ? new byte[random.Next(64)] : whole[..random.Next(whole.Length)];
            if (i % 2 == 0) random.NextBytes(bytes);
            else if (bytes.Length > 0) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                OnnxReader.Read(bytes);
            }
            catch (NnException e)
            {
                Assert.Contains("ONNX model", e.Message, StringComparison.Ordinal);
            }
        }
    }
}
