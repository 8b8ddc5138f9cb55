using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>Frozen TensorFlow graphs, converted to ONNX when they are loaded.</summary>
sealed class TensorFlowBackend(int threads = 1) : INnBackend
{
    public NnEncoding Encoding => NnEncoding.TensorFlow;

    public string? WhyAbsent => new OnnxBackend(threads).WhyAbsent;

    public string Engine => new OnnxBackend(threads).Engine;

    public INnGraph Load(NnModel model) => OnnxGraph.Load(
        Conversion.Convert(GraphDefReader.Read(model.Only("a TensorFlow model")), model.Outputs), threads);
}
