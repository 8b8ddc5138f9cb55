using Millrace.Wasm;

namespace Millrace.Sandbox.Tests.Border;

/// <summary>Modules that are compiled ahead of time while the JIT serves them.</summary>
public sealed class AheadTests
{
    // bench/Millrace.Bench makes 200, with workers in processes.
    const int Deploys = 5;

    static byte[] Module(int number) => Wat.ProgramBytes($"(call $print_i32 (i32.const {number}))");

    [SkippableFact]
    public async Task Deploys_are_compiled_ahead_while_workers_come_and_go()
    {
        using var folder = new CodeFolder();
        await using var border = new BorderPool(folder.Options with { ModulesMax = 2 });

        for (var i = 0; i < Deploys; i++)
        {
            Assert.Null(await border.Pool.CheckAsync("test", Module(i)));
            Assert.Equal(RunEndKind.Exited, border.Execute(Module(i), new()).Kind);
        }

        await Runs.UntilAsync(() => Directory.GetFiles(folder.Path, "*.dll").Length == Deploys);
        foreach (var i in Enumerable.Range(0, Deploys))
        {
            var host = new FakeRunHost();
            Assert.Equal(RunEndKind.Exited, border.Execute(Module(i), host).Kind);
            Assert.Equal(BitConverter.GetBytes(i), host.Output);
        }
        Assert.Empty(border.Notices);
    }

    [SkippableFact]
    public async Task A_module_that_cannot_be_compiled_ahead_runs_and_is_told_once()
    {
        using var folder = new CodeFolder();
        var options = folder.Options;
        await using var border = new BorderPool(options with
        {
            Cache = new CodeCache(folder.Path) { CompileTimeMax = TimeSpan.FromMilliseconds(1) },
        });

        var ends = Enumerable.Range(0, 3).Select(_ => border.Execute(Module(100), new()).Kind).ToArray();

        Assert.All(ends, end => Assert.Equal(RunEndKind.Exited, end));
        await Runs.UntilAsync(() => border.Notices.Length > 0);
        Assert.Contains("stays with the JIT", Assert.Single(border.Notices), StringComparison.Ordinal);
    }

    /// <summary>A folder of machine code, gone at the end.</summary>
    sealed class CodeFolder : IDisposable
    {
        public CodeFolder()
        {
            Skip.If(CodeCache.Unavailable is not null, CodeCache.Unavailable);
            Path = Directory.CreateTempSubdirectory("millrace-code-").FullName;
        }

        public string Path { get; }

        public WorkerOptions Options => BorderPool.Standard with { Cache = new(Path), IsAheadOfTime = true };

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
