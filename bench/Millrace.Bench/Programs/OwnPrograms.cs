using Millrace.Wasi;
using Millrace.Wasm;

namespace Millrace.Bench.Programs;

/// <summary>Runs the programs in this process.</summary>
/// <param name="name">What results call it.</param>
/// <param name="options">The engine's.</param>
/// <param name="folder">Where the modules are.</param>
sealed class OwnPrograms(string name, EngineOptions options, string folder) : ProgramEngine(name)
{
    const int StackBytes = 16 << 20;

    readonly Engine _engine = new(options);
    readonly Dictionary<string, Module> _modules = [];

    public override Task<ProgramSample?> RunFreshAsync(Work work, int number)
    {
        var bytes = File.ReadAllBytes(Path.Combine(folder, $"{work.Program}.wasm"));
        var began = Environment.CpuUsage.TotalTime;
        using var engine = new Engine(options);
        var output = Execute(engine, Module.Compile(engine, bytes), work.Script);
        return Task.FromResult<ProgramSample?>(new(Environment.CpuUsage.TotalTime - began, output));
    }

    public override Task<ProgramSample> RunAsync(Work work)
    {
        if (!_modules.TryGetValue(work.Program, out var module))
        {
            var bytes = File.ReadAllBytes(Path.Combine(folder, $"{work.Program}.wasm"));
            _modules[work.Program] = module = Module.Compile(_engine, bytes);
        }

        // The whole process's time: nothing else runs in it, and what the JIT and the collector take is ours.
        var began = Environment.CpuUsage.TotalTime;
        var output = Execute(_engine, module, work.Script);
        return Task.FromResult(new ProgramSample(Environment.CpuUsage.TotalTime - began, output));
    }

    public override void Dispose() => _engine.Dispose();

    // As `millrace run` does it: a thread with a large stack, and all of WASI.
    static string Execute(Engine engine, Module module, string script)
    {
        var output = new MemoryStream();
        Exception? fault = null;
        var thread = new Thread(Run, StackBytes);
        thread.Start();
        thread.Join();
        return fault is null ? System.Text.Encoding.UTF8.GetString(output.ToArray())
            : throw new InvalidDataException($"{Path.GetFileName(script)} failed here: {fault.Message}", fault);

        void Run()
        {
            // The edge of the thread: what fails here is told by the one that waits.
            try
            {
                using var input = File.OpenRead(script);
                using var store = new Store(engine, new() { StackBytesMax = StackBytes / 4 });
                using var wasi = new WasiHost(new() { Arguments = ["program"], Stdin = input, Stdout = output, Stderr = output });
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
