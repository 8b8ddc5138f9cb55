using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>OpenVINO's IR, converted to ONNX in memory and run by ONNX Runtime.</summary>
sealed class OpenVinoBackend(int threads = 1) : INnBackend
{
    public NnEncoding Encoding => NnEncoding.OpenVino;

    public string? WhyAbsent => new OnnxBackend(threads).WhyAbsent;

    public string Engine => new OnnxBackend(threads).Engine;

    public INnGraph Load(NnModel model)
    {
        // A model without weights may come alone.
        if (model.Builders.Length is not (1 or 2))
        {
            throw new NnException(
                NnErrno.InvalidArgument, $"an OpenVINO model has two builders, the XML and the weights, not {model.Builders.Length}");
        }

        var weights = model.Builders.Length == 2 ? model.Builders[1] : default;
        return OnnxGraph.Load(IrConverter.Convert(IrReader.Read(model.Builders[0]), weights), threads);
    }
}
