namespace Millrace.Cli.Tests.Commands;

/// <summary><c>run --nn-preload</c>: models that a program may load by their names.</summary>
public sealed class NnRunTests : IDisposable
{
    // Loads a model by the name of two letters, and ends with the errno.
    const string Text = """
        (module
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "NAME")
          (func (export "_start") (call $exit (call $load (i32.const 0) (i32.const 2) (i32.const 64)))))
        """;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-nn-");

    public void Dispose() => _folder.Delete(recursive: true);

    async Task<Answer> RunAsync(string name, params string[] options)
    {
        var module = Path.Combine(_folder.FullName, "guest.wat");
        await File.WriteAllTextAsync(module, Text.Replace("NAME", name, StringComparison.Ordinal));
        await using var shell = new Shell();
        return await shell.RunAsync(["run", .. options, module]);
    }

    string Model(string name)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, "model");
        return path;
    }

    [Fact]
    public async Task A_program_loads_only_models_that_it_was_granted()
    {
        var answer = await RunAsync("no", "--nn-preload", $"xx:Whisper:CPU:{Model("song.bin")}");

        Assert.Equal(8, answer.Code);
        Assert.Contains("no model has the name 'no'", answer.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_whose_file_is_not_there_answers_103()
    {
        var answer = await RunAsync("xx", "--nn-preload", "xx:GGML:AUTO:/nowhere/model.gguf");

        Assert.Equal(103, answer.Code);
        Assert.Contains("there is no file /nowhere/model.gguf", answer.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_of_this_machine_goes_by_its_name()
    {
        var answer = await RunAsync("xx", "--nn-preload", "xx:GGML:AUTO:tinychat-q8_0");

        Assert.NotEqual(103, answer.Code);
    }

    [Fact]
    public async Task An_encoding_without_a_backend_answers_2_and_says_so()
    {
        var answer = await RunAsync(
            "yy", "--nn-preload", $"xx:onnx:cpu:{Model("a.onnx")}", "--nn-preload", $"yy:Whisper:CPU:{Model("song.bin")}");

        Assert.Equal((2, "wasi_ephemeral_nn.load_by_name: there is no backend for Whisper (errno 2)"), (answer.Code, answer.Words.Trim()));
    }

    [Theory]
    [InlineData("--nn-preload x:gguf:cpu:a", "--nn-preload x:gguf:cpu:a: 'gguf' is no encoding")]
    [InlineData("--nn-preload x:ggml:cpu:a --nn-preload x:ggml:cpu:b", "two models have the name 'x'")]
    [InlineData("--nn-preload model.gguf", "write NAME:ENCODING:TARGET:PATH")]
    public async Task What_is_wrong_with_a_model_is_told_before_anything_runs(string options, string expected)
    {
        var answer = await RunAsync("xx", options.Split(' '));

        Assert.Equal(2, answer.Code);
        Assert.Contains(expected, answer.Words, StringComparison.Ordinal);
    }
}
