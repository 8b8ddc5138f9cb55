namespace Millrace.Wasm.Tests.Suite;

/// <summary>
/// One engine for all scripts, and their counts. MILLRACE_CONFORMANCE_OUT names a file for them; MILLRACE_PORTABLE=1
/// switches the tricks of the platform off.
/// </summary>
public sealed class SuiteRun : IDisposable
{
    readonly WastTotals _totals = new();

    public Engine Engine { get; } =
        new(Options());

    static EngineOptions Options()
    {
        var options = new EngineOptions { Features = WasmFeatures.All };
        return Environment.GetEnvironmentVariable("MILLRACE_PORTABLE") == "1"
            ? options with { IsPortable = true }
            : options;
    }

    public void Add(WastReport report) => _totals.Add(report);

    public void Dispose()
    {
        if (Environment.GetEnvironmentVariable("MILLRACE_CONFORMANCE_OUT") is { Length: > 0 } path)
            File.WriteAllText(path, _totals.ToMarkdown());
        Engine.Dispose();
    }
}
