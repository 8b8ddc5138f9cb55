namespace Millrace.Inference.Tests.OpenVino;

/// <summary>Small models in OpenVINO's XML.</summary>
static class IrText
{
    const string Row = """<dim>1</dim><dim>2</dim>""";

    /// <summary>x + [10, 100], and that times x. The weights are two numbers.</summary>
    public const string AddAndMultiply = $"""
        <?xml version="1.0"?>
        <net name="sample" version="11">
          <layers>
            <layer id="0" name="x" type="Parameter" version="opset1">
              <data shape="1,2" element_type="f32"/>
              <output><port id="0" precision="FP32" names="x">{Row}</port></output>
            </layer>
            <layer id="1" name="ten" type="Const" version="opset1">
              <data element_type="f32" shape="1, 2" offset="0" size="8"/>
              <output><port id="0" precision="FP32">{Row}</port></output>
            </layer>
            <layer id="2" name="sum" type="Add" version="opset1">
              <data auto_broadcast="numpy"/>
              <input><port id="0" precision="FP32">{Row}</port><port id="1" precision="FP32">{Row}</port></input>
              <output><port id="2" precision="FP32" names="sum">{Row}</port></output>
            </layer>
            <layer id="3" name="product" type="Multiply" version="opset1">
              <data auto_broadcast="numpy"/>
              <input><port id="0" precision="FP32">{Row}</port><port id="1" precision="FP32">{Row}</port></input>
              <output><port id="2" precision="FP32" names="product">{Row}</port></output>
            </layer>
            <layer id="4" name="first" type="Result" version="opset1">
              <input><port id="0" precision="FP32">{Row}</port></input>
            </layer>
            <layer id="5" name="second" type="Result" version="opset1">
              <input><port id="0" precision="FP32">{Row}</port></input>
            </layer>
          </layers>
          <edges>
            <edge from-layer="0" from-port="0" to-layer="2" to-port="0"/>
            <edge from-layer="1" from-port="0" to-layer="2" to-port="1"/>
            <edge from-layer="2" from-port="2" to-layer="3" to-port="0"/>
            <edge from-layer="0" from-port="0" to-layer="3" to-port="1"/>
            <edge from-layer="2" from-port="2" to-layer="4" to-port="0"/>
            <edge from-layer="3" from-port="2" to-layer="5" to-port="0"/>
          </edges>
        </net>
        """;
}
