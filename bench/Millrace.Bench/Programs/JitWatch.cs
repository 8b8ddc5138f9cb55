using System.Diagnostics.Tracing;

namespace Millrace.Bench.Programs;

/// <summary>Listens to the JIT: which of the guest's methods did it leave without optimisation?</summary>
sealed class JitWatch : EventListener
{
    const EventKeywords Jit = (EventKeywords)0x10;
    const int MinimalOptimisation = 1;

    readonly Lock _gate = new();
    readonly List<string> _plain = [];
    int _guest;

    public string Summary()
    {
        lock (_gate)
        {
            return _plain.Count == 0 ? $"none of {_guest:#,0}"
                : $"{_plain.Count} of {_guest:#,0} ({string.Join(", ", _plain.Order(StringComparer.Ordinal))})";
        }
    }

    protected override void OnEventSourceCreated(EventSource source)
    {
        if (source.Name == "Microsoft-Windows-DotNETRuntime") EnableEvents(source, EventLevel.Verbose, Jit);
    }

    protected override void OnEventWritten(EventWrittenEventArgs written)
    {
        if (written.EventName is not { } name || !name.StartsWith("MethodLoadVerbose", StringComparison.Ordinal)) return;
        if (Field(written, "MethodNamespace") is not string space || Field(written, "MethodName") is not string method) return;
        // Guest functions are static methods called f and a number, of a class without a namespace.
        if (space.Contains('.', StringComparison.Ordinal) || method is not ['f', >= '0' and <= '9', ..]) return;
        var tier = ((uint)Field(written, "MethodFlags")! >> 7) & 7;
        lock (_gate)
        {
            _guest++;
            if (tier == MinimalOptimisation) _plain.Add(method);
        }
    }

    static object? Field(EventWrittenEventArgs written, string name) =>
        written.PayloadNames!.IndexOf(name) is >= 0 and var at ? written.Payload![at] : null;
}
