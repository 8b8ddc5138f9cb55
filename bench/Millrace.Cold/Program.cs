using Millrace.Wasm;

// A process that is measured from outside. Without arguments it does nothing; with a module and a folder of compiled
// modules it goes to the module's first call of the host, compiled by the JIT where the folder is not there. With
// --fill before them it compiles the module into the folder: the cache is bound to this build of the engine. Says its
// CPU time at the end, as the eight bytes of a number of ticks.
if (args is ["--fill", var source, var cache])
{
    new CodeCache(cache).Compile(new(), File.ReadAllBytes(source));
    return 0;
}
if (args is not [var path, var folder]) return End(0);
var engine = new Engine(new() { Cache = new CodeCache(folder) { Notice = Console.Error.WriteLine } });
var store = new Store(engine);
var module = Module.Compile(engine, File.ReadAllBytes(path));
if (module.IsAheadOfTime != Directory.Exists(folder)) return 2;
var linker = new Linker(engine);
foreach (var import in module.Imports)
    linker.Define(import.Module, import.Name, import.FunctionType!, (_, _, _) => Environment.Exit(End(0)));
linker.Instantiate(store, module).FindFunction("_start")!.Call();
return 1;

static int End(int code)
{
    using var output = Console.OpenStandardOutput();
    output.Write(BitConverter.GetBytes(Environment.CpuUsage.TotalTime.Ticks));
    return code;
}
