using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.Tests.Backends;

/// <summary>A small model with inputs, and the outputs that they give. The first input has at least one dimension.</summary>
public sealed record BackendSample(NnModel Model, ImmutableArray<Tensor> Inputs, ImmutableArray<Tensor> Outputs, double Tolerance = 1e-4)
{
    /// <summary>One of the given cases, as <c>tflite/add</c>; in the order of the model's ports.</summary>
    internal static BackendSample OfCase(string path, INnBackend backend)
    {
        var test = ConformanceCase.Read(path);
        using var graph = backend.Load(test.Model);
        var run = test.Runs[0];
        return new(test.Model, run.Inputs.InOrderOf(graph.Inputs), run.Outputs.InOrderOf(graph.Outputs));
    }
}
