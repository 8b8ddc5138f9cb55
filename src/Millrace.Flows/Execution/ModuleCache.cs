using System.Collections.Concurrent;
using Millrace.Sandbox;
using Millrace.Wasm;

namespace Millrace.Flows.Execution;

/// <summary>Compiled modules by the hash of their bytes, and the guests made of them.</summary>
sealed class ModuleCache(Engine engine, TimeProvider time)
{
    const int ModulesMax = 64;

    readonly ConcurrentDictionary<string, Lazy<Module>> _modules = [];

    /// <summary>Compiles a module before it is deployed.</summary>
    /// <exception cref="WasmException">It is no module, or an invalid one.</exception>
    public void Check(byte[] hash, ReadOnlyMemory<byte> bytes) => Get(hash, bytes);

    public Task<IGuest> CreateAsync(Deployed deployed, RunRequest request, IRunHost host)
    {
        var module = Get(deployed.ModuleHash, deployed.Package.Module);
        return Task.FromResult<IGuest>(new Guest(SandboxRun.Create(engine, module, request, host, time)));
    }

    Module Get(byte[] hash, ReadOnlyMemory<byte> bytes)
    {
        if (_modules.Count >= ModulesMax) _modules.Clear();
        return _modules.GetOrAdd(
            Convert.ToHexString(hash), _ => new Lazy<Module>(() => Module.Compile(engine, bytes))).Value;
    }

    sealed class Guest(SandboxRun run) : IGuest
    {
        public RunEnd Execute() => run.Execute();

        public void Complete(long sequence, OperationResult result) => run.Complete(sequence, result);

        public void Stop() => run.Stop();
    }
}
