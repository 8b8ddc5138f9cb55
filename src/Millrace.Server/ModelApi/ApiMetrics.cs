using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Millrace.Server.ModelApi;

/// <summary>Counts of the model API, as Prometheus reads them. Thread-safe.</summary>
sealed class ApiMetrics
{
    static readonly (string Name, string Type, string Help)[] Families =
    [
        ("millrace_api_requests_total", "counter", "Requests by path and status."),
        ("millrace_api_requests_in_flight", "gauge", "Requests under way."),
        ("millrace_api_prompt_tokens_total", "counter", "Tokens read."),
        ("millrace_api_cached_tokens_total", "counter", "Tokens read that were there from earlier requests."),
        ("millrace_api_completion_tokens_total", "counter", "Tokens written."),
        ("millrace_api_first_token_seconds", "summary", "Time to the first piece of an answer."),
        ("millrace_api_generation_seconds", "summary", "Time of whole answers."),
    ];

    readonly ConcurrentDictionary<(string Name, string Labels), double> _values = new();
    int _inFlight;

    public int Enter() => Interlocked.Increment(ref _inFlight);

    public void Leave(string path, int status)
    {
        Interlocked.Decrement(ref _inFlight);
        Add("millrace_api_requests_total", $"path=\"{path}\",status=\"{status}\"", 1);
    }

    public void FirstToken(string model, TimeSpan took) => Observe("millrace_api_first_token_seconds", model, took);

    public void Generated(string model, Usage usage, TimeSpan took)
    {
        Add("millrace_api_prompt_tokens_total", Model(model), usage.Prompt);
        Add("millrace_api_cached_tokens_total", Model(model), usage.Cached);
        Add("millrace_api_completion_tokens_total", Model(model), usage.Completion);
        Observe("millrace_api_generation_seconds", model, took);
    }

    void Observe(string name, string model, TimeSpan took)
    {
        Add(name + "_sum", Model(model), took.TotalSeconds);
        Add(name + "_count", Model(model), 1);
    }

    void Add(string name, string labels, double amount) =>
        _values.AddOrUpdate((name, labels), amount, (_, value) => value + amount);

    static string Model(string name)
    {
        var escaped = name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        return $"model=\"{escaped.ReplaceLineEndings(" ")}\"";
    }

    /// <summary>All of it in Prometheus's text format, version 0.0.4.</summary>
    public string Text()
    {
        var text = new StringBuilder();
        var values = _values.Append(new(("millrace_api_requests_in_flight", ""), Volatile.Read(ref _inFlight)))
            .OrderBy(value => value.Key.Name, StringComparer.Ordinal).ThenBy(value => value.Key.Labels, StringComparer.Ordinal).ToList();
        foreach (var (name, type, help) in Families)
        {
            text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");
            string[] full = type == "summary" ? [name + "_sum", name + "_count"] : [name];
            foreach (var ((line, labels), value) in values.Where(value => full.Contains(value.Key.Name)))
                text.Append(CultureInfo.InvariantCulture, $"{line}{(labels.Length > 0 ? $"{{{labels}}}" : "")} {value}\n");
        }

        return text.ToString();
    }
}
