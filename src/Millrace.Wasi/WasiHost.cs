using Millrace.Wasi.Abi;
using Millrace.Wasi.Calls;
using Millrace.Wasi.Files;
using Millrace.Wasi.Portable;
using Millrace.Wasi.Posix;
using Millrace.Wasm;

namespace Millrace.Wasi;

/// <summary>One guest's WASI preview 1: its descriptors, arguments, clocks. One thread at a time.</summary>
public sealed class WasiHost : IDisposable
{
    /// <summary>The module name under which guests import preview 1.</summary>
    public const string ModuleName = "wasi_snapshot_preview1";

    readonly WasiContext _context;
    Instance? _caller;
    IGuestMemory _memory = NoMemory.Instance;

    /// <summary>Opens the preopened directories.</summary>
    /// <exception cref="IOException">A directory cannot be opened.</exception>
    public WasiHost(WasiOptions options)
    {
        _context = new WasiContext(options, options.System ?? new MachineSystem(options.Time, options.Stop));
        try
        {
            foreach (var preopen in options.Preopens) AddPreopen(preopen, options.IsPortable);
            if (options.Files is { } files) _context.AddPreopen(files.OpenRoot(), "/", Rights.None);
        }
        catch
        {
            _context.Dispose();
            throw;
        }
    }

    internal WasiContext Context => _context;

    /// <summary>Defines the 46 functions of preview 1 for one instance, and WasmEdge's for sockets.</summary>
    public void Define(Linker linker)
    {
        foreach (var entry in CallTable.Preview1) linker.Define(ModuleName, entry.Name, entry.Type, Bind(entry));
        foreach (var entry in CallTable.Extension)
            linker.DefineOverload(ModuleName, entry.Name, entry.Type, Bind(entry));
    }

    /// <inheritdoc/>
    public void Dispose() => _context.Dispose();

    HostFunction Bind(CallEntry entry) => (caller, arguments, results) =>
    {
        if (_caller != caller.Instance)
        {
            _caller = caller.Instance;
            _memory = _caller.FindMemory("memory") is { } memory ? new EngineMemory(memory) : NoMemory.Instance;
        }

        var errno = entry.Invoke(_context, _memory, arguments);
        if (results.Length > 0) results[0] = Value.From((int)errno);
    };

    void AddPreopen(Preopen preopen, bool isPortable)
    {
        var refused = preopen.IsReadOnly ? Rights.Change : Rights.None;
        OpenDirectory root = isPortable || !PosixDirectory.IsSupported
            ? ManagedDirectory.OpenRoot(preopen.HostPath)
            : PosixDirectory.OpenRoot(preopen.HostPath);
        _context.AddPreopen(root, preopen.GuestPath, refused);
    }
}
