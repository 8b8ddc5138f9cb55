using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Millrace.Inference;
using Millrace.Nn;
using Millrace.Sandbox;
using Millrace.Server;
using Millrace.Wasi;
using Millrace.Wasm;

namespace Millrace.Cli;

/// <summary><c>millrace doctor</c>: what works on this machine, what does not, and what to do about it.</summary>
static class DoctorCommand
{
    const string Ok = "ok";
    const string Warn = "warn";
    const string Fail = "fail";
    const string Rebuild = "build again: ./millrace does";

    /// <summary>One thing looked at.</summary>
    /// <param name="Name">What.</param>
    /// <param name="State">ok, warn or fail.</param>
    /// <param name="Detail">What was found.</param>
    /// <param name="ToDo">What to do about it; empty when nothing is.</param>
    sealed record Finding(string Name, string State, string Detail, string ToDo = "");

    public static Command Create(Screen screen, CliEnvironment environment)
    {
        var (data, json) = (DataFolder.Option(environment), DataFolder.JsonOption());
        var command = new Command(
            "doctor", "Looks at all that Millrace needs here, and says what to do about what is missing.")
        {
            data, json,
        };
        command.SetAction(async (result, cancel) =>
        {
            var findings = await LookAsync(environment, result.GetRequiredValue(data), cancel);
            if (result.GetValue(json)) screen.Result(DataFolder.ToJson(findings));
            else findings.ForEach(finding => screen.Result(Line(finding)));
            return findings.Any(finding => finding.State == Fail) ? MillraceCommand.Failed : 0;
        });
        return command;
    }

    static string Line(Finding finding)
    {
        var line = $"{finding.State,-4}  {finding.Name}: {finding.Detail}";
        return finding.ToDo.Length == 0 ? line : $"{line}\n      → {finding.ToDo}";
    }

    static async Task<List<Finding>> LookAsync(CliEnvironment environment, string data, CancellationToken cancel)
    {
        var findings = new List<Finding>
        {
            new("runtime", Ok, $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}"),
            SelfTest(),
            GuardedMemory(),
            await WorkerAsync(),
            Compiler(),
            WasiOptions.IsKernelWalkSupported
                ? new("openat2", Ok, "the kernel keeps guests inside their folders")
                : new("openat2", Warn, "the kernel lacks it, so paths are walked in managed code", "use Linux 5.6"),
            Folder(data),
        };
        var server = await ServerAsync(environment, data, cancel);
        findings.Add(server.Finding);
        if (!server.IsRunning)
        {
            findings.Add(Port("port", ServerOptions.PortStandard, "--port"));
            findings.Add(Port("pages port", ServerOptions.PagesPortStandard, "--pages-port"));
        }

        findings.Add(Program(environment, "git", "`millrace review` cannot read your changes", "install git"));
        findings.Add(Program(environment, "npm", "the build cannot fetch llama.cpp", "install npm, then build again"));
        findings.AddRange(await ModelsAsync(environment, cancel));
        findings.AddRange(NnBackends.All().Select(Engine).Prepend(TextEngine()));
        return findings;
    }

    /// <summary>The shipped guest, run as a program.</summary>
    static Finding SelfTest()
    {
        const string name = "sandbox";
        try
        {
            using var output = new MemoryStream();
            using var input = new MemoryStream("doctor"u8.ToArray());
            var options = new WasiOptions { Arguments = ["hello"], Stdin = input, Stdout = output };
            var module = File.ReadAllBytes(Path.Combine(Shipped.Guest("hello"), "hello.wasm"));
            var clock = Stopwatch.StartNew();
            var end = ProgramRun.Execute(module, options);
            var said = Encoding.UTF8.GetString(output.ToArray());
            return end.ExitCode == 0 && said.Contains("doctor", StringComparison.Ordinal)
                ? new(name, Ok, $"the shipped hello answered, compiled and run in {Words.Took(clock.Elapsed)}")
                : new(name, Fail, $"the shipped hello ended with {end.ExitCode} {end.Message}", Rebuild);
        }
        catch (Exception e) when (e is WasmException or IOException or CommandException)
        {
            return new(name, Fail, e.Message, Rebuild);
        }
    }

    /// <summary>Address space is reserved for a memory and guarded, so that bounds need no checks in code.</summary>
    static Finding GuardedMemory()
    {
        const string name = "guarded memory";
        if (new EngineOptions().IsPortable)
            return new(name, Warn, "portable mode: every access is checked in code", "use Linux for full speed");
        try
        {
            using var engine = new Engine();
            using var store = new Store(engine);
            var module = Module.Compile(engine, WatText.ToBinary("""(module (memory 1) (data (i32.const 0) "x"))"""));
            for (var i = 0; i < 2; i++) new Linker(engine).Instantiate(store, module);
            return new(name, Ok, $"address space can be reserved; {Images(engine)}; {GuardPages()}");
        }
        catch (Exception e) when (e is WasmException or OutOfMemoryException or IOException)
        {
            return new(name, Fail, e.Message, "raise the limit of address space: ulimit -v unlimited");
        }
    }

    // Neither is needed: instances are made more slowly without the one, `run --guard-pages` fails without the other.
    static string Images(Engine engine) => engine.MemoryImages.Refusal is { } refusal
        ? $"initial memories are copied ({refusal})"
        : "instances share initial memory";

    static string GuardPages()
    {
        try
        {
            using var engine = new Engine(new() { MemoryChecks = MemoryChecks.Guarded });
            return "--guard-pages works";
        }
        catch (PlatformNotSupportedException e)
        {
            return e.Message;
        }
    }

    /// <summary>A worker is started, as the server does it, and compiles the shipped guest.</summary>
    static async Task<Finding> WorkerAsync()
    {
        const string name = "workers";
        try
        {
            await using var pool = new WorkerPool(WorkerCommand.Options(spares: 0));
            var module = await File.ReadAllBytesAsync(Path.Combine(Shipped.Guest("hello"), "hello.wasm"));
            var clock = Stopwatch.StartNew();
            return await pool.CheckAsync("doctor", module) is { } fault
                ? new(name, Fail, $"a worker refused the shipped hello: {fault}", Rebuild)
                : new(name, Ok, "guests run in processes of their own, not confined yet; "
                    + $"one was started and compiled hello in {Words.Took(clock.Elapsed)}");
        }
        catch (Exception e) when (e is WorkerLostException or IOException or CommandException)
        {
            return new(name, Fail, e.Message, "millrace serve --workers 0 runs guests in the server's own process");
        }
    }

    /// <summary>Without it the JIT compiles all: slower to start, the same to run.</summary>
    static Finding Compiler() => CodeCache.Unavailable is { } reason
        ? new("crossgen2", Warn, $"{reason}; modules are compiled by the JIT as they run")
        : new("crossgen2", Ok, "modules that stay are compiled ahead of time");

    static Finding Folder(string data)
    {
        const string name = "data folder";
        try
        {
            Directory.CreateDirectory(data);
            var probe = Path.Combine(data, $".doctor-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
            return new(name, Ok, data);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(name, Fail, e.Message, "name a folder that you may write with --data");
        }
    }

    static async Task<(Finding Finding, bool IsRunning)> ServerAsync(
        CliEnvironment environment, string data, CancellationToken cancel)
    {
        const string name = "server";
        try
        {
            await using var client = await DataFolder.OpenAsync(environment, data, cancel);
            if (!client.IsServerRunning)
                return (new(name, Ok, "none runs on this folder; millrace serve starts it"), false);
            var status = await client.StatusAsync(cancel);
            return (new(name, Ok, $"runs at {status.Url}, process {status.ProcessId}"), true);
        }
        catch (CommandException e)
        {
            return (new(name, Fail, e.Message), false);
        }
    }

    static Finding Port(string name, int port, string option)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return new(name, Ok, $"{port} is free");
        }
        catch (SocketException)
        {
            return new(name, Warn, $"{port} is in use", $"choose another with {option}");
        }
    }

    static Finding Program(CliEnvironment environment, string program, string without, string toDo)
    {
        var path = (environment.ProgramPath ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
        return path is null ? new(program, Warn, $"not found: {without}", toDo) : new(program, Ok, path);
    }

    /// <summary>What computes the models of one encoding for guests.</summary>
    static Finding Engine(INnBackend backend)
    {
        var name = $"wasi-nn {backend.Encoding.ToString().ToLowerInvariant()}";
        try
        {
            return backend.WhyAbsent is { } reason ? new(name, Warn, reason) : new(name, Ok, backend.Engine);
        }
        catch (NnException e)
        {
            return new(name, Warn, e.Message);
        }
    }

    /// <summary>It needs a worker to be one of <see cref="NnBackends.All"/>.</summary>
    static Finding TextEngine()
    {
        const string name = "wasi-nn ggml";
        return NativeLibraries.LlamaFolder() is not null ? new(name, Ok, "llama.cpp")
            : new(name, Warn, $"{NativeLibraries.WhyAbsent}; guests/llama2 takes its place for small Llama models");
    }

    /// <summary>What nobody checked may be no model at all.</summary>
    static Finding Unchecked(ModelFile file)
    {
        var name = $"model {file.Name}";
        try
        {
            GgufHeader.Read(AdaptedModel.WeightsOf(file.Path));
            return new(name, Warn, "not checked yet", $"millrace models check {file.Name}");
        }
        catch (InferenceException e)
        {
            return new(name, Warn, Words.Plain(e.Message), "fetch it again, or delete it");
        }
    }

    static async Task<List<Finding>> ModelsAsync(CliEnvironment environment, CancellationToken cancel)
    {
        if (NativeLibraries.LlamaFolder() is not { } folder)
            return [new("llama.cpp", Warn, NativeLibraries.WhyAbsent, "until then only connections have models")];
        await using var models = MachineModels.Open(environment);
        var verdicts = (await models.ListAsync(cancel)).ToDictionary(model => model.Name);
        var engine = await EngineCommand.FindAsync(models.Client, cancel);
        var findings = new List<Finding>
        {
            new("llama.cpp", Ok, folder),
            new("llama.cpp build", engine.IsAsChosen ? Ok : Warn, engine.Text),
        };
        findings.AddRange(models.Files().Select(file => verdicts.GetValueOrDefault(file.Name) switch
        {
            { Passed: true } => new Finding($"model {file.Name}", Ok, "passed the check"),
            { } verdict => new($"model {file.Name}", Warn, $"did not pass: {verdict.Reason}"),
            null => Unchecked(file),
        }));
        if (!verdicts.Values.Any(verdict => verdict.Passed))
        {
            findings.Add(new(
                "prose", Warn, "no local model passed, so reviews hold what is computed",
                $"put a larger .gguf file into {MachineModels.Folder(environment)}, "
                + "or connect one: millrace connections add ai --integration openai"));
        }

        return findings;
    }
}
