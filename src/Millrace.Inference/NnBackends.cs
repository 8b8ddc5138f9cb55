using System.Collections.Immutable;
using Millrace.Inference.Llama;
using Millrace.Inference.Llama2;
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
        new Llama2Backend(),
    ];

    /// <summary>All of them, in a worker's process: what a model does to it is not done to the host.</summary>
    /// <param name="client">Starts the worker of all but GGUF models.</param>
    /// <param name="texts">
    /// Starts the inference worker, which computes GGUF models; null leaves those out. Where llama.cpp is not here, the
    /// backend of llama2 takes its place.
    /// </param>
    /// <param name="output">Where texts go of GGUF models that are told to print; null: they are dropped.</param>
    /// <param name="log">Takes a line for each option of a GGUF model that does nothing here; null: they are dropped.</param>
    public static ImmutableArray<INnBackend> InWorker(
        InferenceClient client, InferenceClient? texts = null, Stream? output = null, Action<string>? log = null) =>
    [
        .. All().Select(backend => new ProxyBackend(backend, client)),
        .. texts is null ? [] : (INnBackend[])
        [
            Texts(new LlamaBackend(texts, output, log ?? (static _ => { })), new ProxyBackend(new Llama2Backend(), client)),
        ],
    ];

    internal static INnBackend Texts(INnBackend native, INnBackend managed) =>
        native.WhyAbsent is null ? native : new Llama2Substitute(managed);
}
