using Millrace.Nn.Calls;
using Millrace.Nn.Images;
using Millrace.Wasm;

namespace Millrace.Nn;

/// <summary>
/// WASI-NN for one guest: WasmEdge's <c>wasi_ephemeral_nn</c>, and with it the standard's; its <c>wasmedge_tensorflow</c>
/// and <c>wasmedge_image</c>; and <c>wasi:logging</c>, which programs of models import too. Each instance that imports it sees
/// the graphs and contexts that it made itself. One thread at a time.
/// </summary>
public sealed class NnHost(NnOptions options, INnModels models) : IDisposable
{
    /// <summary>The module name under which guests import it.</summary>
    public const string ModuleName = "wasi_ephemeral_nn";

    readonly Dictionary<Instance, NnSession> _sessions = [];

    /// <summary>With the engines of this machine.</summary>
    public NnHost(NnOptions options) : this(options, new NnModels(options)) { }

    /// <summary>Whether functions of this module are among those that <see cref="Define"/> defines.</summary>
    public static bool IsDefined(string module) =>
        module is ModuleName or TensorFlowCalls.Module or ImageCalls.Module or LoggingCalls.Module;

    /// <summary>Defines all functions, whatever backends there are: a missing one is an errno.</summary>
    public void Define(Linker linker)
    {
        foreach (var entry in CallTable.All) linker.Define(entry.Module, entry.Name, entry.Type, Bind(entry));
        linker.Define(LoggingCalls.Module, LoggingCalls.Name, LoggingCalls.Type,
            (caller, arguments, _) => LoggingCalls.Log(Session(caller.Instance), caller.Memory, new(arguments)));
    }

    /// <summary>Frees all that was loaded.</summary>
    public void Dispose()
    {
        foreach (var session in _sessions.Values) session.Dispose();
        _sessions.Clear();
    }

    HostFunction Bind(CallEntry entry) => (caller, arguments, results) =>
        results[0] = Value.From((int)entry.Invoke(Session(caller.Instance), new(caller, entry.Fault), arguments));

    NnSession Session(Instance caller)
    {
        if (_sessions.TryGetValue(caller, out var known)) return known;
        var session = new NnSession(options, models);
        _sessions.Add(caller, session);
        return session;
    }
}
