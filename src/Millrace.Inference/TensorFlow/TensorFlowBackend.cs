using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>Frozen TensorFlow graphs, converted to ONNX when they are loaded.</summary>
sealed class TensorFlowBackend(int threads = 1) : INnBackend
{
    public NnEncoding Encoding => NnEncoding.TensorFlow;

    public string? WhyAbsent => new OnnxBackend(threads).WhyAbsent;

    public string Engine => new OnnxBackend(threads).Engine;

    public INnGraph Load(NnModel model)
    {
        if (model.Builders.Length != 1)
        {
            throw new NnException(
                NnErrno.InvalidArgument, $"a TensorFlow model has one builder, its GraphDef, not {model.Builders.Length}");
        }

        return OnnxGraph.Load(Conversion.Convert(GraphDefReader.Read(model.Builders[0]), model.Outputs), threads);
    }
}
