using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Millrace.Wasm;

namespace Millrace.Cli.Tests.Commands;

/// <summary><c>run</c> and <c>inspect</c> on a module of its own.</summary>
public sealed class RunTests : IDisposable
{
    const string Text = """
        (module $counter
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
          (memory (export "memory") 1 4)
          (tag (export "\1b[2J") (param i32))
          (func (export "_start")
            (drop (call $sizes (i32.const 0) (i32.const 4)))
            (call $exit (i32.load (i32.const 0))))
          (func (export "sub") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
          (func (export "loop") (loop $l (br $l)))
          (func $deep (export "deep") (param i32) (result i32)
            (if (result i32) (local.get 0) (then (i32.mul (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 3)))
              (else (i32.const 0)))))
        """;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-run-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("", 1)]
    [InlineData("a b", 3)]
    [InlineData("--dir x --fuel -- --nope", 6)]
    public async Task All_words_behind_the_module_are_the_programs_and_its_exit_code_is_ours(string words, int count)
    {
        var answer = await RunAsync($"run {Module()} {words}");

        Assert.Equal((count, "", ""), (answer.Code, answer.Output, answer.Words));
    }

    [Theory]
    [InlineData("run --invoke sub MODULE 1 -4", "5")]
    [InlineData("run --reactor MODULE sub 1 -4", "5")]
    [InlineData("run --fuel 100 --timeout 10s --max-memory 64KiB --env A=B --invoke sub MODULE 7 4", "3")]
    public async Task Results_of_a_function_are_printed(string words, string expected)
    {
        var answer = await RunAsync(words.Replace("MODULE", Module(), StringComparison.Ordinal));

        Assert.Equal((0, expected), (answer.Code, answer.Output.Trim()));
    }

    [SkippableFact]
    public async Task A_program_may_have_its_memory_guarded_by_pages()
    {
        Skip.IfNot(RuntimeInformation.ProcessArchitecture == Architecture.X64, "pages guard memories on x64 only");
        var answer = await RunAsync($"run --guard-pages --invoke sub {Module()} 7 4");

        Assert.Equal((0, "3"), (answer.Code, answer.Output.Trim()));
    }

    [Fact]
    public async Task Calls_may_go_as_deep_as_the_stack_that_was_given()
    {
        var shallow = await RunAsync($"run --max-stack 128KiB --invoke deep {Module()} 100000");
        var deep = await RunAsync($"run --max-stack 256MiB --invoke deep {Module()} 100000");
        var tooMuch = await RunAsync($"run --max-stack 2GiB --invoke deep {Module()} 1");

        Assert.Equal(134, shallow.Code);
        Assert.Contains("call stack exhausted; --max-stack gives more", shallow.Words, StringComparison.Ordinal);
        Assert.Equal((0, "0"), (deep.Code, deep.Output.Trim()));
        Assert.Equal((2, "millrace: --max-stack 2GiB: between 64KiB and 1GiB"), (tooMuch.Code, tooMuch.Words.Trim()));
    }

    [Theory]
    [InlineData("run --fuel 1000 --invoke loop MODULE", "all fuel consumed; --fuel gives more")]
    [InlineData("run --timeout 50ms --invoke loop MODULE", "stopped: its 0.05 s are over")]
    public async Task A_program_that_is_stopped_ends_as_an_aborted_one(string words, string expected)
    {
        var answer = await RunAsync(words.Replace("MODULE", Module(), StringComparison.Ordinal));

        Assert.Equal(134, answer.Code);
        Assert.Contains(expected, answer.Words, StringComparison.Ordinal);
        Assert.Contains("at loop", answer.Words, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run --fuel many MODULE", "--fuel many: write a number")]
    [InlineData("run --timeout 0s MODULE", "--timeout 0s: write a time")]
    [InlineData("run --timeout 9999999h MODULE", "write a time")]
    [InlineData("run --max-memory 1TiB MODULE", "--max-memory 1TiB: write a number of bytes")]
    [InlineData("run --max-memory 1KiB MODULE", "or the store, whose memories may have 1024 bytes")]
    [InlineData("run --env =x MODULE", "--env =x: write NAME=VALUE or NAME")]
    [InlineData("run --env MILLRACE_NO_SUCH MODULE", "there is no such variable here")]
    [InlineData("run --dir :: MODULE", "names no directory")]
    [InlineData("run --nope MODULE", "there is no option --nope")]
    [InlineData("run --invoke nothing MODULE", "the module exports no function 'nothing'")]
    [InlineData("run --invoke sub MODULE 1", "'sub' takes 2 arguments, not 1")]
    [InlineData("run --invoke sub MODULE 1 x", "'x' is no i32\n")]
    [InlineData("run no-such.wasm", "there is no file no-such.wasm")]
    [InlineData("inspect no-such.wasm", "there is no file no-such.wasm")]
    public async Task What_cannot_be_begun_ends_with_2(string words, string expected)
    {
        var answer = await RunAsync(words.Replace("MODULE", Module(), StringComparison.Ordinal));

        Assert.Equal(2, answer.Code);
        Assert.Contains(expected, answer.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_shows_what_a_module_asks_for_and_offers()
    {
        var shown = await RunAsync($"inspect {Module()}");
        var json = JsonNode.Parse((await RunAsync($"inspect --json {Module()}")).Output)!;

        Assert.Contains("counter: ", shown.Output, StringComparison.Ordinal);
        Assert.Contains("function wasi_snapshot_preview1.proc_exit: [i32] -> []", shown.Output, StringComparison.Ordinal);
        Assert.Contains(@"tag \u001b[2J: [i32] -> []", shown.Output, StringComparison.Ordinal);
        Assert.DoesNotContain('\x1b', shown.Output);
        Assert.Equal("exceptions", (string)json["features"]![0]!);
        Assert.Equal("1 4", (string)json["exports"]![0]!["type"]!);
        Assert.Equal(4, (int)json["functions"]!);
        Assert.Equal("type", (string)json["sections"]![0]!["name"]!);
    }

    [Fact]
    public async Task Text_is_told_from_bytes_by_what_it_is()
    {
        var binary = Path.Combine(_folder.FullName, "binary");
        await File.WriteAllBytesAsync(binary, WatText.ToBinary(Text));
        var broken = Path.Combine(_folder.FullName, "broken.wasm");
        await File.WriteAllTextAsync(broken, "(module)");

        Assert.Equal(1, (await RunAsync($"run {binary}")).Code);
        var answer = await RunAsync($"run {broken}");
        Assert.Equal(2, answer.Code);
        Assert.Contains("magic header not detected", answer.Words, StringComparison.Ordinal);
    }

    static async Task<Answer> RunAsync(string words)
    {
        await using var shell = new Shell();
        return await shell.RunAsync(words.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    string Module()
    {
        var path = Path.Combine(_folder.FullName, "module.wat");
        File.WriteAllText(path, Text);
        return path;
    }
}
