using Millrace.Wasm;

namespace Millrace.Bench.Kernels;

/// <summary>Runs the kernels in this process.</summary>
sealed class OwnKernels : KernelEngine
{
    readonly Engine _engine;
    readonly Store _store;
    readonly Instance _instance;

    public OwnKernels(string name, EngineOptions options, byte[] wasm) : base(name)
    {
        _engine = new(options);
        _store = new(_engine);
        _instance = new Linker(_engine).Instantiate(_store, Module.Compile(_engine, wasm));
    }

    /// <summary>Whether crossgen2 made its code.</summary>
    public bool IsAheadOfTime => _instance.Module.IsAheadOfTime;

    /// <summary>Their names.</summary>
    public IEnumerable<string> Kernels => _instance.Module.Exports
        .Where(export => export.Kind == ExternKind.Function).Select(export => export.Name);

    // The whole process's time: nothing else runs in it, and what the JIT and the collector take is ours.
    public override Task<KernelSample> RunAsync(string kernel, int rounds)
    {
        var function = _instance.FindFunction(kernel)!;
        var began = Environment.CpuUsage.TotalTime;
        var sum = (ulong)function.Call(Value.From(rounds))[0].AsI64;
        return Task.FromResult(new KernelSample(Environment.CpuUsage.TotalTime - began, sum));
    }

    public override void Dispose()
    {
        _store.Dispose();
        _engine.Dispose();
    }
}
