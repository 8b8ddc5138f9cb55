using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.Onnx;

/// <summary>A model as ONNX, made from another encoding.</summary>
/// <param name="Bytes"><c>ModelProto</c></param>
/// <param name="Inputs">The inputs by their names in the encoding they came from, in the order of the graph's.</param>
/// <param name="Outputs">The outputs likewise.</param>
/// <param name="States">
/// What is kept between computations, as it is at first: one more input and one more output of the graph each, behind the
/// others.
/// </param>
sealed record OnnxModel(
    byte[] Bytes, ImmutableArray<TensorPort> Inputs, ImmutableArray<TensorPort> Outputs, ImmutableArray<Tensor> States);
