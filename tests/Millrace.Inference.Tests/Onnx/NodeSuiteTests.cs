using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;
using Xunit.Abstractions;

namespace Millrace.Inference.Tests.Onnx;

/// <summary>ONNX's own cases of one operator each, as Debian's libonnx-testdata has them: MILLRACE_ONNX_SUITE names their folder.</summary>
public sealed class NodeSuiteTests(ITestOutputHelper output)
{
    // What a spike with the same library had passed, of 932.
    const int PassedMin = 859;

    // Sums of a Fourier transform come out at 2e-4 where they should be nothing, in single precision.
    const double Tolerance = 1e-3;

    [SkippableFact]
    public void Passes_what_the_engine_has_of_the_operators_own_cases()
    {
        var folder = Environment.GetEnvironmentVariable("MILLRACE_ONNX_SUITE");
        Skip.If(string.IsNullOrEmpty(folder), "MILLRACE_ONNX_SUITE is not set: it names the data folder of Debian's libonnx-testdata");
        var cases = Path.Combine(folder!, "node");
        Assert.True(Directory.Exists(cases), $"MILLRACE_ONNX_SUITE has no node: install libonnx-testdata");
        var backend = new OnnxBackend();
        Skip.If(backend.WhyAbsent is not null, backend.WhyAbsent);

        var faults = Directory.EnumerateDirectories(cases).Order(StringComparer.Ordinal)
            .Select(test => (Name: Path.GetFileName(test), Fault: Fault(test, backend))).ToList();
        var passed = faults.Count(test => test.Fault is null);
        output.WriteLine($"{passed} of {faults.Count} cases passed");
        foreach (var (name, fault) in faults.Where(test => test.Fault is not null)) output.WriteLine($"{name}: {fault}");

        Assert.True(passed >= PassedMin, $"{passed} of {faults.Count} cases passed, and {PassedMin} are known to");
    }

    static string? Fault(string test, OnnxBackend backend)
    {
        try
        {
            using var graph = backend.Load(new NnModel([File.ReadAllBytes(Path.Combine(test, "model.onnx"))]));
            using var context = graph.CreateContext();
            foreach (var set in Directory.EnumerateDirectories(test, "test_data_set_*"))
            {
                for (var i = 0; File.Exists(Path.Combine(set, $"input_{i}.pb")); i++) context.SetInput(i, Read(Path.Combine(set, $"input_{i}.pb")));
                context.Compute(default);
                for (var i = 0; File.Exists(Path.Combine(set, $"output_{i}.pb")); i++)
                {
                    if (Tensors.Difference(Read(Path.Combine(set, $"output_{i}.pb")), context.GetOutput(i), Tolerance, Tolerance) is { } difference)
                        return $"output {i} {difference}";
                }
            }

            return null;
        }
        catch (NnException e)
        {
            return e.Message;
        }
    }

    // TensorProto: the elements are raw, or repeated numbers of a field that their type decides.
    static Tensor Read(string file)
    {
        var tensor = new ProtoReader(File.ReadAllBytes(file), file);
        var (sizes, ints, floats, type) = (new List<long>(), new List<long>(), new List<float>(), default(OnnxType));
        var raw = ReadOnlyMemory<byte>.Empty;
        while (tensor.Next())
        {
            switch (tensor.Field)
            {
                case 1: tensor.Numbers(sizes); break;
                case 2: type = (OnnxType)tensor.Number; break;
                case 4: tensor.Singles(floats); break;
                case 5 or 7 or 11: tensor.Numbers(ints); break;
                case 9: raw = tensor.Bytes; break;
                default: break;
            }
        }

        var border = type.ToTensorType() ?? throw new NnException(NnErrno.UnsupportedOperation, $"{type} is no type of the border");
        ImmutableArray<long> dimensions = [.. sizes];
        if (floats.Count > 0) return Tensors.Of(border, dimensions, [.. floats]);
        if (ints.Count == 0) return new(border, dimensions, raw);
        var size = Tensor.Bytes(border);
        return new(border, dimensions, ints.SelectMany(number => BitConverter.GetBytes(number).Take(size)).ToArray());
    }
}
