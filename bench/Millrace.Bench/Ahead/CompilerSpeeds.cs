using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Millrace.Bench.Kernels;
using Millrace.Cli;
using Millrace.Fuzz;
using Millrace.Wasm;
using Millrace.Wasm.Compilation;

namespace Millrace.Bench.Ahead;

/// <summary>From the bytes of a large module to machine code of all its functions, here and by V8's two compilers.</summary>
static class CompilerSpeeds
{
    const int Rounds = 5;

    // V8 compiles lazily by default, and again what is hot.
    static readonly string[] Eager = ["--no-wasm-lazy-compilation", "--no-wasm-tier-up"];

    // Wall time and CPU time of all threads, in nanoseconds. A custom section of its own makes each another module.
    const string Script = """
        const bytes = require('node:fs').readFileSync(process.argv[1]);
        for (let i = 0; i < Number(process.argv[2]); i++) {
          const fresh = Buffer.concat([bytes, Buffer.from([0, 5, 1, 110, i, 0, 0])]);
          const cpu = process.cpuUsage(), began = process.hrtime.bigint();
          new WebAssembly.Module(fresh);
          const wall = process.hrtime.bigint() - began, { user, system } = process.cpuUsage(cpu);
          console.log(`${wall} ${(user + system) * 1000}`);
        }
        """;

    public static async Task<Figure[]> MeasureAsync(BenchPlan plan)
    {
        plan.Screen.Note("  compilers, all functions");
        var path = Path.Combine(Shipped.Guest("code_review"), "code_review.wasm");
        var bytes = await File.ReadAllBytesAsync(path, plan.Cancel);
        var own = new Times();
        for (var i = -1; i < Rounds; i++)
        {
            plan.Cancel.ThrowIfCancellationRequested();
            var (wall, cpu) = Own(bytes, i + 1);
            if (i >= 0) own.Add(wall, cpu); // the first compiles the compiler
        }
        List<Figure> figures = [new("all functions compiled by the JIT (decode to machine code): wall, CPU", own.Speed(bytes))];
        var (program, reason) = await OtherEngine.FetchAsync();
        if (program is null) return [.. figures, new("the same, V8", $"not measured: {reason}")];
        figures.Add(new($"the same, {OtherEngine.Name}, Liftoff", (await TheirsAsync(program, path, "--liftoff")).Speed(bytes)));
        figures.Add(new($"the same, {OtherEngine.Name}, TurboFan", (await TheirsAsync(program, path, "--no-liftoff")).Speed(bytes)));
        return [.. figures];
    }

    static (TimeSpan Wall, TimeSpan Cpu) Own(byte[] bytes, int number)
    {
        byte[] fresh = [.. bytes, 0, 5, 1, (byte)'n', (byte)number, 0, 0];
        var (began, before) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        using var engine = new Engine();
        var module = Module.Compile(engine, fresh);
        var count = module.Code.FunctionCount - module.Definition.ImportedFunctionCount;
        var code = module.Code.Image!.Assembly.ManifestModule;
        for (var i = 0; i < count; i++)
            RuntimeHelpers.PrepareMethod(code.ResolveMethod(ImageBuilder.MethodToken(i))!.MethodHandle);
        return (Stopwatch.GetElapsedTime(began), Environment.CpuUsage.TotalTime - before);
    }

    static async Task<Times> TheirsAsync(string program, string path, string compiler)
    {
        var said = await KernelProcess.OutputAsync(program,
            [compiler, .. Eager, "-e", Script, path, (Rounds + 1).ToString(CultureInfo.InvariantCulture)])
            ?? throw new InvalidOperationException($"{program} does not start");
        var times = new Times();
        foreach (var line in said.Split('\n').Skip(1))
        {
            var words = line.Split(' ');
            times.Add(Nanoseconds(words[0]), Nanoseconds(words[1]));
        }
        return times;
    }

    static TimeSpan Nanoseconds(string text) =>
        TimeSpan.FromMicroseconds(long.Parse(text, CultureInfo.InvariantCulture) / 1000.0);

    sealed class Times
    {
        readonly Samples _wall = new();
        readonly Samples _cpu = new();

        public void Add(TimeSpan wall, TimeSpan cpu)
        {
            _wall.Add(wall);
            _cpu.Add(cpu);
        }

        public string Speed(byte[] module) => $"{One(_wall, module)}; {One(_cpu, module)}";

        static string One(Samples samples, byte[] module) =>
            $"{samples.Ms(0.5)}, {Samples.Number(module.Length / 1000.0 / samples.P50Ms, "MB/s")}";
    }
}
