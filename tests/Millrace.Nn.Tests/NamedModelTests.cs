namespace Millrace.Nn.Tests;

public class NamedModelTests
{
    [Theory]
    [InlineData("default:GGML:AUTO:model.gguf", NnEncoding.Ggml, NnTarget.Auto, new[] { "model.gguf" })]
    [InlineData("default:ggml:cpu:C:/models/a:b.gguf", NnEncoding.Ggml, NnTarget.Cpu, new[] { "C:/models/a:b.gguf" })]
    [InlineData("x:OpenVINO:gpu:a.xml:a.bin", NnEncoding.OpenVino, NnTarget.Gpu, new[] { "a.xml", "a.bin" })]
    [InlineData("x:tensorflowlite:TPU:a.tflite", NnEncoding.TensorFlowLite, NnTarget.Tpu, new[] { "a.tflite" })]
    [InlineData("x:AutoDetect:cpu:a", NnEncoding.AutoDetect, NnTarget.Cpu, new[] { "a" })]
    [InlineData("x:Whisper:cpu:a", NnEncoding.Whisper, NnTarget.Cpu, new[] { "a" })]
    public void Reads_what_WasmEdge_reads(string text, NnEncoding encoding, NnTarget target, string[] paths)
    {
        var model = NamedModel.Parse(text);

        Assert.Equal((encoding, target), (model.Encoding, model.Target));
        Assert.Equal(paths, model.Paths);
    }

    [Theory]
    [InlineData("default", "write NAME:ENCODING:TARGET:PATH")]
    [InlineData("default:ggml:model.gguf", "write NAME:ENCODING:TARGET:PATH")]
    [InlineData(":ggml:cpu:a", "the name is empty")]
    [InlineData("x:gguf:cpu:a", "'gguf' is no encoding: openvino, onnx,")]
    [InlineData("x:ggml:cuda:a", "'cuda' is no target: cpu, gpu, tpu, auto")]
    [InlineData("x:openvino:cpu:a.xml:", "a path is empty")]
    [InlineData("x:pytorchaoti:cpu:a.so", "native code")]
    public void Says_what_is_wrong(string text, string message) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => NamedModel.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("GGUF\u0003", NnEncoding.Ggml)]
    [InlineData("\u001c\0\0\0TFL3", NnEncoding.TensorFlowLite)]
    [InlineData("PK\u0003\u0004zip", NnEncoding.PyTorch)]
    [InlineData("<?xml version=\"1.0\"?><net", NnEncoding.OpenVino)]
    [InlineData("\n <net name=\"x\"", NnEncoding.OpenVino)]
    [InlineData("24ka\u0001", NnEncoding.Llama2)]
    [InlineData("\b\u0007\u0012\u0007pytorch", NnEncoding.Onnx)]
    [InlineData("\n\u0010\n\u0001x\u0012\u000bPlaceholder", NnEncoding.TensorFlow)]
    [InlineData("hello", null)]
    [InlineData("", null)]
    public void A_model_shows_by_its_bytes_what_it_is(string head, NnEncoding? expected) =>
        Assert.Equal(expected, ModelFormat.OfBytes(System.Text.Encoding.Latin1.GetBytes(head)));
}
