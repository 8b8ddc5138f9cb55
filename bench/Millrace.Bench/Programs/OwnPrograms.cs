using System.Collections.Immutable;
using System.Text;
using Millrace.Wasi;
using Millrace.Wasm;

namespace Millrace.Bench.Programs;

/// <summary>Runs the programs in this process.</summary>
/// <param name="name">What results call it.</param>
/// <param name="options">The engine's.</param>
sealed class OwnPrograms(string name, EngineOptions options) : ProgramEngine(name)
{
    const int StackBytes = 16 << 20;

    readonly Engine _engine = new(options);
    readonly Dictionary<string, Module> _modules = [];

    /// <summary>What it may take of V8's time: its aim.</summary>
    public double RatioMax { get; init; }

    public override Task<ProgramSample?> RunFreshAsync(Work work, int number)
    {
        var bytes = File.ReadAllBytes(work.Module);
        var began = Environment.CpuUsage.TotalTime;
        using var engine = new Engine(options);
        var output = Execute(engine, Module.Compile(engine, bytes), work);
        return Task.FromResult<ProgramSample?>(new(Environment.CpuUsage.TotalTime - began, output));
    }

    public override Task<ProgramSample> RunAsync(Work work)
    {
        if (!_modules.TryGetValue(work.Program, out var module))
            _modules[work.Program] = module = Module.Compile(_engine, File.ReadAllBytes(work.Module));

        // The whole process's time: nothing else runs in it, and what the JIT and the collector take is ours.
        var began = Environment.CpuUsage.TotalTime;
        var output = Execute(_engine, module, work);
        return Task.FromResult(new ProgramSample(Environment.CpuUsage.TotalTime - began, output));
    }

    public override void Dispose() => _engine.Dispose();

    // As `millrace run` does it: a thread with a large stack, and all of WASI.
    static string Execute(Engine engine, Module module, Work work)
    {
        var output = new MemoryStream();
        Exception? fault = null;
        var thread = new Thread(Run, StackBytes);
        thread.Start();
        thread.Join();
        return fault is null ? Encoding.UTF8.GetString(output.ToArray())
            : throw new InvalidDataException($"{work.Name} failed here: {fault.Message}", fault);

        void Run()
        {
            // The edge of the thread: what fails here is told by the one that waits.
            try
            {
                using var input = File.OpenRead(work.Script);
                using var store = new Store(engine, new() { StackBytesMax = StackBytes / 4 });
                using var wasi = new WasiHost(new()
                {
                    Arguments = ["program", .. work.Arguments],
                    Environment = work.Environment.ToImmutableSortedDictionary(StringComparer.Ordinal),
                    Preopens = work.Library is { } library ? [new(library, "/lib", IsReadOnly: true)] : [],
                    Stdin = input,
                    Stdout = output,
                    Stderr = output,
                });
                var linker = new Linker(engine);
                wasi.Define(linker);
                linker.Instantiate(store, module).FindFunction("_start")!.Call();
            }
            catch (ProcExitException exit) when (exit.Code == 0)
            {
            }
            catch (Exception e)
            {
                fault = e;
            }
        }
    }
}
