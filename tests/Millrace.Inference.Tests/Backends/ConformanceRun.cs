using Millrace.Nn;
using Xunit.Abstractions;

namespace Millrace.Inference.Tests.Backends;

/// <summary>What became of the cases of a kind.</summary>
/// <param name="Passed">Computed as the reference did, or refused where that is right.</param>
/// <param name="Refused">Not computed: an operator that the backend does not have, named when the model was loaded.</param>
/// <param name="Failed">Computed wrongly, refused for another reason, or not refused although it should be.</param>
sealed record ConformanceRun(int Passed, IReadOnlyList<string> Refused, IReadOnlyList<string> Failed)
{
    /// <summary>Runs all cases of a kind and tells the counts.</summary>
    public static ConformanceRun Of(string kind, INnBackend backend, ITestOutputHelper output)
    {
        Skip.If(backend.WhyAbsent is not null, backend.WhyAbsent);
        var passed = 0;
        List<string> refused = [], failed = [];
        foreach (var test in ConformanceCase.All(kind))
        {
            var (isRefused, fault) = Try(test, backend);
            if (fault is null) passed++;
            else (isRefused ? refused : failed).Add($"{test.Name}: {fault}");
        }

        output.WriteLine($"{kind}: {passed} passed, {refused.Count} refused, {failed.Count} failed");
        foreach (var line in refused) output.WriteLine($"refused {line}");
        foreach (var line in failed) output.WriteLine($"failed {line}");
        return new(passed, refused, failed);
    }

    /// <summary>Asserts that at least this share passed, and that nothing was wrong.</summary>
    public void AssertPassed(double share)
    {
        Assert.Empty(Failed);
        Assert.True(Passed >= share * (Passed + Refused.Count), $"{Passed} passed, {Refused.Count} were refused");
    }

    static (bool IsRefused, string? Fault) Try(ConformanceCase test, INnBackend backend)
    {
        var isLoaded = false;
        try
        {
            using var graph = backend.Load(test.Model);
            isLoaded = true;
            using var context = graph.CreateContext();
            foreach (var run in test.Runs)
            {
                if (Fault(test, run, graph, context) is { } fault && !test.IsToRefuse) return (false, fault);
            }

            return (false, test.IsToRefuse ? "is to be refused, and was computed" : null);
        }
        catch (NnException e) when (test.IsToRefuse)
        {
            return (false, e.Message.Length > 0 ? null : "is refused without a word");
        }
        catch (NnException e)
        {
            return (!isLoaded && e.Errno == NnErrno.UnsupportedOperation, e.Message);
        }
        catch (Exception e) when (e is not SkipException)
        {
            // Any other exception is the backend's fault, and the other cases are still to be seen.
            return (false, e.ToString());
        }
    }

    static string? Fault(ConformanceCase test, CaseRun run, INnGraph graph, INnContext context)
    {
        for (var i = 0; i < run.Inputs.Count; i++) context.SetInput(run.Inputs.PortOf(i, graph.Inputs), run.Inputs[i].Tensor);
        context.Compute(default);
        for (var i = 0; i < run.Outputs.Count; i++)
        {
            var want = run.Outputs[i];
            var got = context.GetOutput(run.Outputs.PortOf(i, graph.Outputs));
            if (Tensors.Difference(want.Tensor, got, test.Atol, test.Rtol, want.Integers) is { } difference) return $"{want.Name} {difference}";
        }

        return null;
    }
}
