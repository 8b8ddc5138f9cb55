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
using var engine = new Engine(new() { Cache = new CodeCache(folder) { Notice = Console.Error.WriteLine } });
using var store = new Store(engine);
var module = Module.Compile(engine, File.ReadAllBytes(path));
if (module.IsAheadOfTime != Directory.Exists(folder)) return 2;
try
{
    new Linker(engine) { TrapUnknownImports = true }.Instantiate(store, module).FindFunction("_start")!.Call();
}
catch (TrapException trap) when (trap.Code == TrapCode.UnknownImport)
{
    return End(0);
}
return 1;

static int End(int code)
{
    using var output = Console.OpenStandardOutput();
    output.Write(BitConverter.GetBytes(Environment.CpuUsage.TotalTime.Ticks));
    return code;
}
