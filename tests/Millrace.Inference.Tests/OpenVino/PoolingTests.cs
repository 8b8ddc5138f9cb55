using System.Text;
using Millrace.Inference.OpenVino;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;

namespace Millrace.Inference.Tests.OpenVino;

/// <summary>How the last window is counted, by hand.</summary>
public sealed class PoolingTests
{
    [SkippableTheory]
    [InlineData("ceil_torch", false, new float[] { 1, 3, 5, 3 })]
    [InlineData("ceil", false, new float[] { 1, 3, 5, 2 })]
    [InlineData("floor", false, new float[] { 1, 3, 5 })]
    [InlineData("ceil_torch", true, new float[] { 1.5f, 3, 5, 6 })]
    [InlineData("ceil", true, new float[] { 1.5f, 3, 5, 6 })]
    public void Averages_a_window_that_hangs_over_by_what_the_rounding_says(string rounding, bool excludesPads, float[] wanted) =>
        AssertPooled(Pool(6, wanted.Length, 3, rounding, excludesPads), [1, 2, 3, 4, 5, 6], wanted);

    [SkippableFact]
    public void Drops_a_window_that_begins_in_the_border_where_the_rounding_says_so() =>
        AssertPooled(Pool(5, 3, 2, "ceil_torch", excludesPads: false), [1, 2, 3, 4, 5], [0.5f, 2.5f, 4.5f]);

    [SkippableFact]
    public void Refuses_a_window_of_nothing_but_border()
    {
        var refusal = Assert.Throws<NnException>(() => AssertPooled(Pool(5, 4, 2, "ceil", excludesPads: false), [1, 2, 3, 4, 5], []));

        Assert.Equal(NnErrno.UnsupportedOperation, refusal.Errno);
        Assert.Contains("AvgPool", refusal.Message, StringComparison.Ordinal);
    }

    static void AssertPooled(string model, float[] numbers, float[] wanted)
    {
        var backend = new OpenVinoBackend();
        Skip.If(backend.WhyAbsent is not null, backend.WhyAbsent);
        using var graph = backend.Load(new NnModel([Encoding.UTF8.GetBytes(model)]));
        using var context = graph.CreateContext();
        context.SetInput(0, Tensors.Of(TensorType.F32, [1, 1, numbers.Length], numbers));

        context.Compute(default);

        Assert.Null(Tensors.Difference(Tensors.Of(TensorType.F32, [1, 1, wanted.Length], wanted), context.GetOutput(0), 1e-6, 0));
    }

    static string Pool(int size, int pooled, int kernel, string rounding, bool excludesPads) => $"""
        <net name="pool" version="11">
          <layers>
            <layer id="0" name="x" type="Parameter" version="opset1">
              <data shape="1,1,{size}" element_type="f32"/>
              <output><port id="0" precision="FP32"><dim>1</dim><dim>1</dim><dim>{size}</dim></port></output>
            </layer>
            <layer id="1" name="pool" type="AvgPool" version="opset14">
              <data kernel="{kernel}" strides="2" pads_begin="1" pads_end="1" auto_pad="explicit"
                rounding_type="{rounding}" exclude-pad="{(excludesPads ? "true" : "false")}"/>
              <input><port id="0" precision="FP32"><dim>1</dim><dim>1</dim><dim>{size}</dim></port></input>
              <output><port id="1" precision="FP32"><dim>1</dim><dim>1</dim><dim>{pooled}</dim></port></output>
            </layer>
            <layer id="2" name="y" type="Result" version="opset1">
              <input><port id="0" precision="FP32"><dim>1</dim><dim>1</dim><dim>{pooled}</dim></port></input>
            </layer>
          </layers>
          <edges>
            <edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>
            <edge from-layer="1" from-port="1" to-layer="2" to-port="0"/>
          </edges>
        </net>
        """;
}
