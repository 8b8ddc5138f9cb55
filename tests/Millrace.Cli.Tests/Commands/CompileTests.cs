using Millrace.Wasm;

namespace Millrace.Cli.Tests.Commands;

/// <summary><c>compile</c>, and <c>run</c> with what it made.</summary>
public sealed class CompileTests : IDisposable
{
    const string Text = """
        (module
          (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
        """;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-compile-");

    public void Dispose() => _folder.Delete(recursive: true);

    string Cache => Path.Combine(_folder.FullName, "cache");

    [SkippableFact]
    public async Task A_compiled_module_runs_from_the_cache()
    {
        Skip.If(CodeCache.Unavailable is not null, CodeCache.Unavailable);
        var module = Module("add.wat", Text);

        var compiled = await RunAsync("compile", module, "--cache", Cache);
        var again = await RunAsync("compile", module, "--cache", Cache);
        var ran = await RunAsync("run", "--cache", Cache, "--invoke", "add", module, "3", "4");

        Assert.Equal(0, compiled.Code);
        Assert.Contains("add.wat: ", compiled.Output, StringComparison.Ordinal);
        Assert.Contains("compiled in", compiled.Output, StringComparison.Ordinal);
        Assert.Contains("there already", again.Output, StringComparison.Ordinal);
        Assert.Equal((0, "7", ""), (ran.Code, ran.Output.Trim(), ran.Words));
    }

    [SkippableFact]
    public async Task A_damaged_cache_costs_time_and_nothing_else()
    {
        Skip.If(CodeCache.Unavailable is not null, CodeCache.Unavailable);
        var module = Module("sum.wat", Text);
        await RunAsync("compile", module, "--cache", Cache);
        foreach (var file in Directory.GetFiles(Cache)) await File.WriteAllTextAsync(file, "damaged");

        var ran = await RunAsync("run", "--cache", Cache, "--invoke", "add", module, "3", "4");

        Assert.Equal((0, "7", ""), (ran.Code, ran.Output.Trim(), ran.Words));
    }

    [SkippableFact]
    public async Task What_is_no_module_is_named()
    {
        Skip.If(CodeCache.Unavailable is not null, CodeCache.Unavailable);

        var answer = await RunAsync("compile", Module("broken.wasm", "no module"), "--cache", Cache);

        Assert.Equal(MillraceCommand.Unable, answer.Code);
        Assert.Contains("broken.wasm: magic header not detected", answer.Words, StringComparison.Ordinal);
    }

    string Module(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    static async Task<Answer> RunAsync(params string[] words)
    {
        await using var shell = new Shell();
        return await shell.RunAsync(words);
    }
}
