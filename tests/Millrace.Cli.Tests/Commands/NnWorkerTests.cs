namespace Millrace.Cli.Tests.Commands;

/// <summary>Models computed as a user would: in the worker's process, by an engine that is always there.</summary>
public sealed class NnWorkerTests : IDisposable
{
    // Loads the model that it was granted, sets its one input, computes, and ends with the number of bytes that differ from
    // what is expected; 100 and the step where a call failed.
    const string Text = """
        (module
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))
          (import "wasi_ephemeral_nn" "init_execution_context" (func $init (param i32 i32) (result i32)))
          (import "wasi_ephemeral_nn" "set_input" (func $input (param i32 i32 i32) (result i32)))
          (import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))
          (import "wasi_ephemeral_nn" "get_output" (func $output (param i32 i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "net")
          (data (i32.const 128) "\02\00\00\00\03\00\00\00\04\00\00\00")
          (data (i32.const 160) "\80\00\00\00\03\00\00\00\03\00\00\00\00\01\00\00\18\00\00\00")
          (data (i32.const 256) "INPUT")
          (data (i32.const 512) "EXPECTED")
          (func $must (param $errno i32) (param $step i32)
            (if (local.get $errno) (then (call $exit (i32.add (i32.const 100) (local.get $step))))))
          (func (export "_start") (local $i i32) (local $wrong i32)
            (call $must (call $load (i32.const 0) (i32.const 3) (i32.const 64)) (i32.const 1))
            (call $must (call $init (i32.load (i32.const 64)) (i32.const 68)) (i32.const 2))
            (call $must (call $input (i32.load (i32.const 68)) (i32.const 0) (i32.const 160)) (i32.const 3))
            (call $must (call $compute (i32.load (i32.const 68))) (i32.const 4))
            (call $must (call $output (i32.load (i32.const 68)) (i32.const 0) (i32.const 1024) (i32.const 24) (i32.const 72)) (i32.const 5))
            (loop $next
              (local.set $wrong (i32.add (local.get $wrong) (i32.ne
                (i32.load8_u (i32.add (i32.const 512) (local.get $i))) (i32.load8_u (i32.add (i32.const 1024) (local.get $i))))))
              (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 24))))
            (call $exit (local.get $wrong))))
        """;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-nn-");

    public void Dispose() => _folder.Delete(recursive: true);

    static string Case()
    {
        var folder = Environment.GetEnvironmentVariable("MILLRACE_CONFORMANCE");
        Skip.If(folder is null, "MILLRACE_CONFORMANCE names no folder of cases");
        return Path.Combine(folder!, "tflite", "abs_int8");
    }

    static string Escaped(string path) => string.Concat(File.ReadAllBytes(path).Select(one => $"\\{one:x2}"));

    async Task<Answer> RunAsync(string text)
    {
        var files = Case();
        var module = Path.Combine(_folder.FullName, "guest.wat");
        await File.WriteAllTextAsync(module, text
            .Replace("INPUT", Escaped(Path.Combine(files, "in0.bin")), StringComparison.Ordinal)
            .Replace("EXPECTED", Escaped(Path.Combine(files, "out0.bin")), StringComparison.Ordinal));
        await using var shell = new Shell();
        return await shell.RunAsync(["run", "--nn-preload", $"net:AutoDetect:CPU:{Path.Combine(files, "model.tflite")}", module]);
    }

    [SkippableFact]
    public async Task A_program_computes_a_model_that_it_was_granted()
    {
        var answer = await RunAsync(Text);

        Assert.Equal((0, ""), (answer.Code, answer.Words));
    }

    // Servers of 2023 make one for each request and give none back.
    [SkippableFact]
    public async Task A_program_may_have_as_many_contexts_as_it_likes()
    {
        const string Once = "(call $must (call $init (i32.load (i32.const 64)) (i32.const 68)) (i32.const 2))";

        var answer = await RunAsync(Text.Replace(Once, $"""
            (loop $more {Once}
              (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
            (local.set $i (i32.const 0))
            """, StringComparison.Ordinal));

        Assert.Equal((0, ""), (answer.Code, answer.Words));
    }

    [SkippableFact]
    public async Task A_model_is_computed_without_a_guest()
    {
        var files = Case();
        var output = Path.Combine(_folder.FullName, "out.bin");
        await using var shell = new Shell();

        var answer = await shell.RunAsync(
            ["nn", "run", Path.Combine(files, "model.tflite"), "--input", $"{Path.Combine(files, "in0.bin")}:i8:2x3x4", "--output", output]);

        Assert.Equal((0, "output PartitionedCall:0: i8 2x3x4"), (answer.Code, answer.Output.Trim()));
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(files, "out0.bin")), await File.ReadAllBytesAsync(output));
    }

    [Fact]
    public async Task A_damaged_model_is_an_error_of_its_own()
    {
        var model = Path.Combine(_folder.FullName, "model.tflite");
        await File.WriteAllBytesAsync(model, [.. "\x1c\0\0\0TFL3"u8, .. new byte[64]]);
        await using var shell = new Shell();

        var answer = await shell.RunAsync(["nn", "run", model]);

        Assert.Equal(1, answer.Code);
        Assert.Contains("(errno ", answer.Words, StringComparison.Ordinal);
    }
}
