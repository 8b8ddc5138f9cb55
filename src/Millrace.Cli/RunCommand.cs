using System.Collections.Immutable;
using System.CommandLine;
using Millrace.Wasi;
using Millrace.Wasm;

namespace Millrace.Cli;

/// <summary><c>millrace run</c>: any WASI program, plainly: real clock, real files, no journal.</summary>
static class RunCommand
{
    public const string Name = "run";

    public static Command Create(Screen screen)
    {
        var module = new Argument<FileInfo>("module") { Description = "The program: .wasm, or .wat text." };
        var arguments = new Argument<string[]>("args")
        {
            Description = "The program's arguments.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var dir = new Option<string[]>("--dir")
        {
            Description = "A folder the program may use: HOST or HOST::GUEST, with :ro for reading only.",
        };
        var env = new Option<string[]>("--env")
        {
            Description = "An environment variable the program sees: NAME=VALUE.",
        };
        var invoke = new Option<string?>("--invoke")
        {
            Description = "Call this exported function with the arguments as numbers, instead of _start.",
        };
        var command = new Command(Name, "Runs a WASI program.") { module, arguments, dir, env, invoke };
        command.SetAction(result => Run(
            screen, result.GetRequiredValue(module), [.. result.GetValue(arguments) ?? []],
            result.GetValue(dir) ?? [], result.GetValue(env) ?? [], result.GetValue(invoke)));
        return command;
    }

    static int Run(
        Screen screen, FileInfo module, ImmutableArray<string> arguments, string[] dirs, string[] env, string? invoke)
    {
        if (!module.Exists) throw new CommandException($"there is no file {module}");
        using var stdin = Console.OpenStandardInput();
        using var stdout = Console.OpenStandardOutput();
        using var stderr = Console.OpenStandardError();
        var options = new WasiOptions
        {
            Arguments = arguments.Insert(0, module.Name),
            Environment = env.Select(Variable).ToImmutableSortedDictionary(pair => pair.Name, pair => pair.Value),
            Stdin = stdin,
            Stdout = stdout,
            Stderr = stderr,
            IsTerminal = !Console.IsOutputRedirected,
            Preopens = [.. dirs.Select(Preopen.Parse)],
        };
        try
        {
            var end = ProgramRun.Execute(Bytes(module), options, invoke, arguments);
            foreach (var value in end.Results) screen.Result(value);
            if (end.Message.Length > 0) screen.Note($"{module.Name}: {end.Message}");
            foreach (var frame in end.Backtrace) screen.Note($"  at {frame}");
            return end.ExitCode;
        }
        catch (Exception e) when (e is WasmException or IOException or ArgumentException)
        {
            throw new CommandException($"{module.Name}: {e.Message}");
        }
    }

    static ReadOnlyMemory<byte> Bytes(FileInfo module) => module.Extension == ".wat"
        ? WatText.ToBinary(File.ReadAllText(module.FullName))
        : File.ReadAllBytes(module.FullName);

    static (string Name, string Value) Variable(string text)
    {
        var equals = text.IndexOf('=', StringComparison.Ordinal);
        return equals > 0 ? (text[..equals], text[(equals + 1)..])
            : throw new CommandException($"--env {text}: write NAME=VALUE");
    }
}
