using Millrace.Wasm.Binary;

namespace Millrace.Wasm.Scripts;

/// <summary>A module of a script that was compiled, or why it was not.</summary>
/// <param name="Module">The module.</param>
/// <param name="Blocked">Why there is none, or no instance.</param>
readonly record struct ModuleSlot(Module? Module, Outcome Blocked);

/// <summary>An instance of a script, or why there is none.</summary>
readonly record struct InstanceSlot(Instance? Instance, Outcome Blocked);

/// <summary>The modules, instances and registered names of a running script.</summary>
sealed class ScriptScope
{
    static readonly Outcome Missing = Outcome.Failed("the script has no such module");

    readonly Dictionary<string, ModuleSlot> _modules = [];
    readonly Dictionary<string, InstanceSlot> _instances = [];
    readonly Dictionary<string, string> _excludedNames = [];
    readonly Dictionary<string, Instance> _registered = [];
    readonly Dictionary<Instance, SharedState> _states = [];
    ModuleSlot _latestModule = new(null, Missing);
    InstanceSlot _latest = new(null, Missing);

    public void Define(string? id, ModuleSlot module)
    {
        _latestModule = module;
        if (id is not null) _modules[id] = module;
    }

    public void Define(string? id, InstanceSlot instance)
    {
        _latest = instance;
        if (id is not null) _instances[id] = instance;
    }

    public ModuleSlot Module(string? id) =>
        id is null ? _latestModule : _modules.GetValueOrDefault(id, new(null, Missing));

    public InstanceSlot Instance(string? id) =>
        id is null ? _latest : _instances.GetValueOrDefault(id, new(null, Missing));

    /// <summary>Remembers that what is registered under a name could not be compiled.</summary>
    public void Exclude(string name, string reason)
    {
        _excludedNames[name] = reason;
        _registered.Remove(name);
    }

    /// <summary>The reason why an import cannot be there; null where it can.</summary>
    public string? ExclusionOf(string name) => _excludedNames.GetValueOrDefault(name);

    public void Register(string name, Instance instance)
    {
        _excludedNames.Remove(name);
        _registered[name] = instance;
    }

    /// <summary>Notes that an instance shares state with those it imports from.</summary>
    public void Share(Instance instance)
    {
        var shared = StateOf(instance);
        var imports = instance.Module.Imports.Select(static import => (import.Module, import.Kind));
        foreach (var other in StatesBehind(imports)) shared.Join(other);
    }

    /// <summary>Notes that a module which could not be compiled would have written to what it imports.</summary>
    public void Miss(ModuleDefinition module, string reason)
    {
        var imports = module.Imports.Select(static import => (import.Module, import.Kind));
        foreach (var state in StatesBehind(imports)) state.Missing = reason;
    }

    /// <summary>Why an instance's state may not be what the script wants; null where there is no reason.</summary>
    public string? MissingOf(Instance instance) => StateOf(instance).Missing;

    IEnumerable<SharedState> StatesBehind(IEnumerable<(string Module, ExternKind Kind)> imports) =>
        imports.Where(static import => import.Kind is ExternKind.Memory or ExternKind.Table or ExternKind.Global)
            .Select(import => _registered.GetValueOrDefault(import.Module)).OfType<Instance>().Select(StateOf);

    SharedState StateOf(Instance instance)
    {
        if (!_states.TryGetValue(instance, out var state)) _states[instance] = state = new();
        return state;
    }
}

/// <summary>The memories, tables and globals that a group of instances may all write to.</summary>
sealed class SharedState
{
    SharedState? _joined;
    string? _missing;

    /// <summary>Why a module that would have joined is not there; null while none is missing.</summary>
    public string? Missing
    {
        get => Root._missing;
        set => Root._missing ??= value;
    }

    SharedState Root => _joined?.Root ?? this;

    public void Join(SharedState other)
    {
        var (mine, theirs) = (Root, other.Root);
        if (mine == theirs) return;
        mine._missing ??= theirs._missing;
        theirs._joined = mine;
    }
}
