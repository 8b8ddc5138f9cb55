using System.Text.Json;
using Millrace.Inference.Templates;
using Millrace.Inference.Templates.Formatting;
using Xunit.Abstractions;

namespace Millrace.Inference.Tests.Templates;

/// <summary>The language, case by case, against the reference.</summary>
public sealed class LanguageCasesTests(ITestOutputHelper output)
{
    /// <summary>Cases that do not hold, each with its reason.</summary>
    static readonly Dictionary<string, string> Exclusions = File
        .ReadLines(Path.Combine(AppContext.BaseDirectory, "Templates", "exclusions.txt"))
        .Where(static line => line.Length > 0 && line[0] != '#')
        .Select(static line => line.Split(' ', 2)).ToDictionary(static parts => parts[0], static parts => parts[1]);

    [SkippableFact]
    public void Every_case_but_the_excluded_ones_renders_as_the_reference_does()
    {
        var cases = ConformanceFolder.Read("jinja-cases.json").EnumerateArray().ToList();

        var faults = cases.Select(static test => (Name: test.GetProperty("name").GetString()!, Fault: Fault(test)))
            .Where(static test => test.Fault is not null).ToDictionary(static test => test.Name, static test => test.Fault!);
        output.WriteLine($"{cases.Count} language cases: {cases.Count - faults.Count} right, {faults.Count} not");
        foreach (var (name, fault) in faults) output.WriteLine($"{name}: {fault}");

        Assert.DoesNotContain(faults.Keys, static name => !Exclusions.ContainsKey(name));
        Assert.DoesNotContain(Exclusions.Keys, name => !faults.ContainsKey(name));
        Assert.True(faults.Count * 50 <= cases.Count, "fewer than 98 % are right");
    }

    static string? Fault(JsonElement test)
    {
        var phase = "compile";
        try
        {
            var template = ChatTemplate.Parse(test.GetProperty("template").GetString()!);
            phase = "render";
            var variables = test.GetProperty("context").EnumerateObject()
                .Select(static property => KeyValuePair.Create(property.Name, JsonText.Read(property.Value)));
            var text = template.Render(variables, FixedClock.Cases);
            if (!test.TryGetProperty("expected", out var expected)) return $"gave {text} instead of {test.GetProperty("error")}";
            return text == expected.GetString() ? null : $"gave {text} instead of {expected}";
        }
        catch (TemplateException e)
        {
            return test.TryGetProperty("error", out var error)
                ? ErrorFault(e, phase, error.GetString()!, test) : $"{e.Message} instead of {test.GetProperty("expected")}";
        }
    }

    // Texts of Python's own errors are not part of the language; an error and its phase are.
    static string? ErrorFault(TemplateException e, string phase, string error, JsonElement test)
    {
        var (kind, wanted) = (test.GetProperty("kind").GetString()!, test.GetProperty("phase").GetString());
        if (phase != wanted) return $"{e.Message} at {phase} instead of {wanted}";
        if (e.Kind == "LimitError") return e.Message;
        if (kind is "TemplateError" or "UndefinedError" && (e.Kind, e.Text) != (kind, error)) return $"{e.Message} instead of {kind}: {error}";
        var hasLine = kind.StartsWith("Template", StringComparison.Ordinal) && test.TryGetProperty("line", out var line)
            && line.ValueKind == JsonValueKind.Number;
        return hasLine && e.Line != test.GetProperty("line").GetInt32() ? $"{e.Message} at another line" : null;
    }
}
