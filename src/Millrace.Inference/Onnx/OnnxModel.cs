using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.Onnx;

/// <summary>A model as ONNX, made from another encoding.</summary>
/// <param name="Bytes"><c>ModelProto</c></param>
/// <param name="Inputs">The inputs by their names in the encoding they came from, in the order of the graph's.</param>
/// <param name="Outputs">The outputs likewise.</param>
sealed record OnnxModel(byte[] Bytes, ImmutableArray<TensorPort> Inputs, ImmutableArray<TensorPort> Outputs);
