using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite;

/// <summary>TensorFlow Lite models in managed code; there on every machine.</summary>
sealed class TensorFlowLiteBackend : INnBackend
{
    public NnEncoding Encoding => NnEncoding.TensorFlowLite;

    public string? WhyAbsent => BitConverter.IsLittleEndian ? null
        : "TensorFlow Lite models are computed on little-endian machines only: run this on x64 or arm64";

    public INnGraph Load(NnModel model)
    {
        if (model.Builders.Length != 1)
            throw new NnException(NnErrno.InvalidArgument, $"a TensorFlow Lite model is one flatbuffer, not {model.Builders.Length} parts");
        // The caller's bytes may change; weights are read from ours.
        return new LiteGraph(model.Builders[0].ToArray());
    }
}
