using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Inference.OpenVino;
using Millrace.Inference.Proxy;
using Millrace.Inference.PyTorch;
using Millrace.Inference.TensorFlow;
using Millrace.Inference.TensorFlowLite;
using Millrace.Nn;

namespace Millrace.Inference;

/// <summary>The engines that compute models for guests and for <c>millrace nn run</c>.</summary>
public static class NnBackends
{
    /// <summary>All of them; one whose library is not here says why.</summary>
    public static ImmutableArray<INnBackend> All() =>
    [
        new OpenVinoBackend(),
        new OnnxBackend(),
        new TensorFlowBackend(),
        new TensorFlowLiteBackend(),
        new PyTorchBackend(),
    ];

    /// <summary>All of them, in a worker's process: what a model does to it is not done to the host.</summary>
    public static ImmutableArray<INnBackend> InWorker(InferenceClient client) =>
        [.. All().Select(backend => new ProxyBackend(backend, client))];
}
