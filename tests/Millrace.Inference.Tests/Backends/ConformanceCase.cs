using System.Collections.Immutable;
using System.Text.Json;
using Millrace.Nn;

namespace Millrace.Inference.Tests.Backends;

/// <summary>A tensor of a case, by its name in the model.</summary>
sealed record NamedTensor(string Name, Tensor Tensor, double Integers);

/// <summary>Tensors of a case; names decide where ports have them, positions elsewhere.</summary>
sealed class NamedTensors(ImmutableArray<NamedTensor> tensors)
{
    public int Count => tensors.Length;

    public NamedTensor this[int index] => tensors[index];

    /// <summary>The port of the tensor at a place.</summary>
    public int PortOf(int index, ImmutableArray<TensorPort> ports)
    {
        var named = ports.Select((port, at) => (port.Name, At: at)).Where(port => port.Name == tensors[index].Name).ToList();
        return named.Count == 1 ? named[0].At : index;
    }

    public ImmutableArray<Tensor> InOrderOf(ImmutableArray<TensorPort> ports) =>
        [.. Enumerable.Range(0, Count).OrderBy(index => PortOf(index, ports)).Select(index => tensors[index].Tensor)];
}

/// <summary>Inputs, and the outputs that they give.</summary>
sealed record CaseRun(NamedTensors Inputs, NamedTensors Outputs);

/// <summary>A folder with a model, <c>io.json</c> and tensors: ../shared/facts says how the reference made them.</summary>
/// <param name="Runs">In one context, one after the other.</param>
sealed record ConformanceCase(string Name, NnModel Model, bool IsToRefuse, ImmutableArray<CaseRun> Runs, double Atol, double Rtol)
{
    // A model of several builders has them in this order.
    static readonly string[] Endings = [".xml", ".bin", ".onnx", ".pb", ".pt", ".ptl", ".tflite"];

    /// <summary>The cases of a kind. Without MILLRACE_CONFORMANCE the test is skipped.</summary>
    public static IEnumerable<ConformanceCase> All(string kind) =>
        Directory.EnumerateDirectories(Folder(kind)).Order(StringComparer.Ordinal).Select(folder => Read($"{kind}/{Path.GetFileName(folder)}"));

    /// <summary>One case, as <c>tflite/add</c>.</summary>
    public static ConformanceCase Read(string path)
    {
        var folder = Folder(path);
        var builders = Directory.EnumerateFiles(folder, "model.*")
            .OrderBy(file => Array.IndexOf(Endings, Path.GetExtension(file)))
            .Select(file => new ReadOnlyMemory<byte>(File.ReadAllBytes(file)));
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "io.json")));
        var io = document.RootElement;
        var runs = io.TryGetProperty("steps", out var steps)
            ? steps.EnumerateArray().Select(step => Run(folder, step))
            : [Run(folder, io), .. io.TryGetProperty("extra_runs", out var extra) ? extra.EnumerateArray().Select(run => Run(folder, run)) : []];
        return new(
            Path.GetFileName(folder), new NnModel([.. builders]), io.TryGetProperty("expect", out var expect) && expect.GetString() == "refuse",
            [.. runs], Number(io, "atol", 1e-5), Number(io, "rtol", 1e-4));
    }

    static string Folder(string path)
    {
        var root = Environment.GetEnvironmentVariable("MILLRACE_CONFORMANCE");
        Skip.If(string.IsNullOrEmpty(root), "MILLRACE_CONFORMANCE is not set: it names the folder of conformance cases");
        var folder = Path.Combine(root!, path);
        Assert.True(Directory.Exists(folder), $"MILLRACE_CONFORMANCE has no {path}");
        return folder;
    }

    static CaseRun Run(string folder, JsonElement run) => new(Tensors(folder, run, "inputs"), Tensors(folder, run, "outputs"));

    static NamedTensors Tensors(string folder, JsonElement run, string what) => new(
    [
        .. run.GetProperty(what).EnumerateArray().Where(tensor => tensor.TryGetProperty("file", out _)).Select(tensor => new NamedTensor(
            tensor.GetProperty("name").GetString()!, Tensor(folder, tensor), Number(tensor, "max_abs_diff", 0))),
    ]);

    static Tensor Tensor(string folder, JsonElement tensor) => new(
        Enum.Parse<TensorType>(tensor.GetProperty("dtype").GetString()!, ignoreCase: true),
        [.. tensor.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())],
        File.ReadAllBytes(Path.Combine(folder, tensor.GetProperty("file").GetString()!)));

    static double Number(JsonElement of, string name, double otherwise) =>
        of.TryGetProperty(name, out var number) && number.ValueKind == JsonValueKind.Number ? number.GetDouble() : otherwise;
}
