using System.Collections.Immutable;
using System.CommandLine;
using Millrace.Cli.Computing;
using Millrace.Nn;
using Millrace.Wasi;
using Millrace.Wasm;

namespace Millrace.Cli;

/// <summary><c>millrace run</c>: any WASI program, plainly: real clock, real files, no journal.</summary>
static class RunCommand
{
    public const string Name = "run";

    /// <summary>Name of the argument behind which all words are the program's own.</summary>
    public const string Module = "module";

    public static Command Create(Screen screen, CliEnvironment environment)
    {
        var module = new Argument<FileInfo>(Module) { Description = "The program: .wasm, or .wat text." };
        var arguments = new Argument<string[]>("args")
        {
            Description = "The program's arguments; options among them too are the program's.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var options = new Options(CompileCommand.CacheOption(environment), environment);
        var command = new Command(Name, "Runs a WASI program.") { module, arguments };
        foreach (var option in options.All) command.Options.Add(option);
        command.SetAction(result => Run(
            screen, result.GetRequiredValue(module), options.Wasi(result),
            options.Program(screen, result, [.. result.GetValue(arguments) ?? []])));
        return command;
    }

    /// <summary>
    /// The words with a <c>--</c> behind the module, so that the parser leaves all that follow to the program.
    /// </summary>
    public static string[] Guarded(RootCommand root, string[] words)
    {
        if (words is not [Name, ..]) return words;
        var options = root.Subcommands.First(command => command.Name == Name).Options;
        for (var i = 1; i < words.Length; i++)
        {
            if (words[i] == "--") return words;
            if (!words[i].StartsWith('-')) return [.. words[..(i + 1)], "--", .. words[(i + 1)..]];
            if (options.FirstOrDefault(option => option.Name == words[i]) is { Arity.MinimumNumberOfValues: > 0 }) i++;
        }

        return words;
    }

    static int Run(Screen screen, FileInfo module, WasiOptions wasi, ProgramOptions program)
    {
        using var stdin = Console.OpenStandardInput();
        using var stdout = Console.OpenStandardOutput();
        using var stderr = Console.OpenStandardError();
        wasi = wasi with
        {
            Arguments = program.Arguments.Insert(0, module.Name),
            Stdin = stdin,
            Stdout = stdout,
            Stderr = stderr,
            IsTerminal = !Console.IsOutputRedirected,
        };
        try
        {
            var end = ProgramRun.Execute(ModuleFile.Read(module), wasi, program);
            foreach (var value in end.Results) screen.Result(value);
            if (end.Message.Length > 0) screen.Note($"{module.Name}: {end.Message}{WayOut(end.Trap)}");
            foreach (var frame in end.Backtrace) screen.Note($"  at {frame}");
            return end.ExitCode;
        }
        catch (Exception e) when (e is WasmException or IOException or ArgumentException or PlatformNotSupportedException)
        {
            throw new CommandException($"{module.Name}: {e.Message}");
        }
    }

    // A limit that was hit: how to raise it.
    static string WayOut(TrapCode? trap) => trap switch
    {
        TrapCode.OutOfFuel => "; --fuel gives more",
        TrapCode.CallStackExhausted => "; --max-stack gives more",
        TrapCode.OutOfMemory => "; --max-memory gives more",
        _ => "",
    };

    /// <summary>The command's options.</summary>
    sealed class Options(Option<string> cache, CliEnvironment environment)
    {
        const long StackBytesMin = 64 << 10;
        const long StackBytesMax = 1 << 30;

        readonly Option<string[]> _dir = new("--dir")
        {
            Description = "A folder the program may use: HOST or HOST::GUEST, with :ro for reading only.",
        };

        readonly Option<string[]> _env = new("--env")
        {
            Description = "An environment variable the program sees: NAME=VALUE, or NAME as it is here.",
        };

        readonly Option<string?> _invoke = new("--invoke")
        {
            Description = "Call this exported function with the arguments as numbers, instead of _start.",
        };

        readonly Option<bool> _reactor = new("--reactor")
        {
            Description = "Call _initialize, then the function that the first argument names, with the others.",
        };

        readonly Option<string?> _fuel = new("--fuel")
        {
            Description = "Stop after so many instructions, the same on every machine.",
        };

        readonly Option<string?> _timeout = new("--timeout")
        {
            Description = "Stop after a time: 500ms, 10s, 5m.",
        };

        readonly Option<string?> _maxMemory = new("--max-memory")
        {
            Description = "Most memory the program may have: bytes, or 64KiB, 256MiB, 2GiB.",
        };

        readonly Option<string?> _maxStack = new("--max-stack")
        {
            Description = "Most stack that calls may take: bytes, or 512KiB, 16MiB. [default: 4MiB]",
        };

        readonly Option<bool> _guardPages = new("--guard-pages")
        {
            Description = "Guard memory by pages instead of compares: faster, on Linux and x64 only.",
        };

        readonly Option<string[]> _allowNet = new("--allow-net")
        {
            Description = "An address the program may connect to: HOST:PORT, [IPV6]:PORT, HOST:* or *:PORT.",
        };

        readonly Option<string[]> _allowListen = new("--allow-listen")
        {
            Description = "An address the program may listen at: HOST:PORT, as 127.0.0.1:8080.",
        };

        readonly Option<string[]> _nnPreload = GrantedModels.Option("A model the program may load by its name");

        public IEnumerable<Option> All =>
            [_dir, _env, _nnPreload, _allowNet, _allowListen, _invoke, _reactor, _fuel, _timeout, _maxMemory, _maxStack, _guardPages,
             cache];

        public WasiOptions Wasi(ParseResult result) => new()
        {
            Environment = (result.GetValue(_env) ?? []).Select(Variable)
                .Aggregate(new WasiOptions().Environment, (all, one) => all.SetItem(one.Name, one.Value)),
            Preopens = [.. (result.GetValue(_dir) ?? []).Select(Folder)],
            Connect = [.. (result.GetValue(_allowNet) ?? []).Select(text => Address(_allowNet, text))],
            Listen = [.. (result.GetValue(_allowListen) ?? []).Select(text => Address(_allowListen, text))],
        };

        public ProgramOptions Program(Screen screen, ParseResult result, ImmutableArray<string> arguments) => new()
        {
            Invoke = result.GetValue(_invoke),
            Arguments = arguments,
            Cache = new CodeCache(result.GetRequiredValue(cache)) { Notice = screen.Note },
            IsReactor = result.GetValue(_reactor),
            Fuel = result.GetValue(_fuel) is { } fuel ? Amounts.Count("--fuel", fuel) : null,
            Timeout = result.GetValue(_timeout) is { } timeout ? Amounts.Time("--timeout", timeout) : null,
            StackBytesMax = result.GetValue(_maxStack) is { } stack ? Stack(stack) : null,
            HasGuardPages = result.GetValue(_guardPages),
            MemoryBytesMax = result.GetValue(_maxMemory) is { } memory ? Amounts.Bytes("--max-memory", memory) : null,
            Imports = Nn(screen, GrantedModels.Read(environment, result.GetValue(_nnPreload) ?? [])),
        };

        // Servers made for WasmEdge make a context for each request, some load a model too, and none is ever given back:
        // what they may take here is the machine's memory.
        static readonly NnLimits Limits = new() { GraphsMax = 1 << 16, ContextsMax = 1 << 20 };

        static Func<Linker, CancellationToken, IDisposable> Nn(Screen screen, ImmutableDictionary<string, NamedModel> models) =>
            (linker, stop) =>
            {
                var engines = NnEngines.InWorker(screen.Note);
                var host = new NnHost(new()
                {
                    Backends = engines.Backends,
                    Models = models,
                    Limits = Limits,
                    Log = screen.Note,
                    Stop = stop,
                });
                host.Define(linker);
                return new Ends(host, engines);
            };

        sealed class Ends(IDisposable first, IDisposable second) : IDisposable
        {
            public void Dispose()
            {
                first.Dispose();
                second.Dispose();
            }
        }

        static int Stack(string text)
        {
            var bytes = Amounts.Bytes("--max-stack", text);
            return bytes is >= StackBytesMin and <= StackBytesMax
                ? (int)bytes : throw new CommandException($"--max-stack {text}: between 64KiB and 1GiB");
        }

        (string Name, string Value) Variable(string text)
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) return (text[..equals], text[(equals + 1)..]);
            if (equals == 0 || text.Length == 0) throw new CommandException($"--env {text}: write NAME=VALUE or NAME");
            return environment.Find(text) is { } value
                ? (text, value)
                : throw new CommandException($"--env {text}: there is no such variable here; write {text}=VALUE");
        }

        static NetworkGrant Address(Option option, string text)
        {
            try
            {
                return NetworkGrant.Parse(text);
            }
            catch (FormatException e)
            {
                throw new CommandException($"{option.Name} {text}: {e.Message}");
            }
        }

        static Preopen Folder(string text)
        {
            try
            {
                return Preopen.Parse(text);
            }
            catch (FormatException e)
            {
                throw new CommandException($"--dir {text}: {e.Message}");
            }
        }
    }
}
