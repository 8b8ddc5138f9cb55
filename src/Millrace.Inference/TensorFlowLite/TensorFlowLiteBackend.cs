using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite;

/// <summary>TensorFlow Lite models in managed code; there on every machine.</summary>
sealed class TensorFlowLiteBackend : INnBackend
{
    public NnEncoding Encoding => NnEncoding.TensorFlowLite;

    public string? WhyAbsent => BitConverter.IsLittleEndian ? null
        : "TensorFlow Lite models are computed on little-endian machines only: run this on x64 or arm64";

    // The caller's bytes may change; weights are read from ours.
    public INnGraph Load(NnModel model) => new LiteGraph(model.Only("a TensorFlow Lite model").ToArray());
}
