using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Net;
using Millrace.Cli.Computing;
using Millrace.Flows;
using Millrace.Nn;
using Millrace.Server;
using Millrace.Wasm;

namespace Millrace.Cli;

/// <summary><c>millrace serve</c>: takes events and executes runs until it is stopped.</summary>
static class ServeCommand
{
    const int WorkersMax = 16;

    sealed record Choice(string Data, int Port, int PagesPort, IPAddress Address, string? Model, int Workers, bool IsApiOpen)
    {
        public ImmutableDictionary<string, NamedModel> NnModels { get; init; } = ImmutableDictionary<string, NamedModel>.Empty;
    }

    public static Command Create(Screen screen, CliEnvironment environment)
    {
        var data = DataFolder.Option(environment);
        var port = Port("--port", "Port of the public listener", ServerOptions.PortStandard);
        var pages = Port("--pages-port", "Port of the pages", ServerOptions.PagesPortStandard);
        var listen = new Option<string>("--listen")
        {
            Description = "Address of the public listener; 0.0.0.0 lets other machines in.",
            HelpName = "ADDRESS",
            DefaultValueFactory = _ => "127.0.0.1",
        };
        var model = new Option<string?>("--model")
        {
            Description = "The model for flows that name none: a .gguf file, or a name of `millrace models list`.",
            HelpName = "FILE|NAME",
        };
        var workers = new Option<int>("--workers")
        {
            Description = "Worker processes kept ready besides those that are used; "
                + "0: guests run in the server's own process, for debugging.",
            HelpName = "N",
            DefaultValueFactory = _ => 1,
        };
        workers.Validators.Add(result =>
        {
            if (result.GetValue(workers) is < 0 or > WorkersMax)
                result.AddError($"--workers is a number from 0 to {WorkersMax}");
        });
        var open = new Option<bool>("--api-open") { Description = "The models at /v1 answer this machine without a key." };
        var preload = GrantedModels.Option("A model that flows may be granted under `nn`");
        var command = new Command("serve", """
            Starts the server: webhooks and calls come in, runs are executed. Ctrl-C stops it; what is under way goes on
            at the next start.

            millrace serve
            millrace serve --port 8080 --model ~/models/reader.gguf
            """) { data, port, pages, listen, model, workers, open, preload };
        command.SetAction(async (result, cancel) =>
        {
            if (!IPAddress.TryParse(result.GetRequiredValue(listen), out var address))
            {
                throw new CommandException(
                    $"--listen {result.GetValue(listen)}: write an address, as 127.0.0.1 or 0.0.0.0");
            }

            var choice = new Choice(
                result.GetRequiredValue(data), result.GetValue(port), result.GetValue(pages), address,
                result.GetValue(model), result.GetValue(workers), result.GetValue(open))
            {
                NnModels = GrantedModels.Read(environment, result.GetValue(preload) ?? []),
            };
            if (choice.IsApiOpen && !IPAddress.IsLoopback(address))
            {
                throw new CommandException(
                    "--api-open is for this machine alone: leave --listen out, or make keys: millrace keys add NAME");
            }

            await ServeAsync(screen, environment, choice, cancel);
            return 0;
        });
        return command;
    }

    static Option<int> Port(string name, string what, int standard)
    {
        var option = new Option<int>(name)
        {
            Description = $"{what}; 0: a free one.",
            DefaultValueFactory = _ => standard,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && !ushort.TryParse(text, CultureInfo.InvariantCulture, out _))
                result.AddError($"{name} {text}: a port is a number from 0 to 65535");
        });
        return option;
    }

    static async Task ServeAsync(Screen screen, CliEnvironment environment, Choice choice, CancellationToken cancel)
    {
        using var log = new ScreenLog(screen, TimeProvider.System);
        var isLocal = choice.Model is null || MachineModels.IsLocal(environment, choice.Model);
        await using var models = MachineModels.Open(environment, isLocal ? choice.Model : null);
        using var engines = NnEngines.InWorker(models.Client, screen.Note);
        var options = Options(environment, choice, log) with { Models = models, IsApiOpen = choice.IsApiOpen };
        var platform = options.Platform with
        {
            LanguageModel = models,
            PreferredModel = isLocal ? null : choice.Model,
            Nn = new()
            {
                Backends = engines.Backends,
                Models = choice.NnModels,
                FindModel = name => models.Files().FirstOrDefault(file => file.Name == name) is { } file
                    ? new(name, NnEncoding.Ggml, NnTarget.Auto, [file.Path]) : null,
            },
        };
        var usable = await CheckModelsAsync(screen, environment, choice, models, cancel);
        if (!isLocal && usable.All(model => model.Name != choice.Model))
        {
            throw new CommandException(
                $"--model {choice.Model}: no such file and no model of that name; `millrace models list` shows them");
        }

        if (isLocal && choice.Model is not null)
            platform = platform with { PreferredModel = usable.FirstOrDefault()?.Name };
        var host = await StartAsync(options with { Platform = platform });
        await using (host)
        {
            screen.Result($"listening on {host.Url}");
            screen.Result($"pages at {host.PagesUrl}");
            screen.Note($"models at {host.Url}/v1, {(choice.IsApiOpen ? "open to this machine" : "with a key: millrace keys add NAME")}");
            MachineModels.Tell(screen, [.. usable.OrderByDescending(model => model.Name == choice.Model)]);
            if (host.Platform.Flows.IsEmpty)
                screen.Note("nothing is deployed yet; in another terminal: millrace deploy hello");
            screen.Note("Ctrl-C stops the server");
            await UntilStoppedAsync(cancel);
            screen.Note("stopping: what is under way goes on at the next start");
        }
    }

    /// <summary>Before any event: the local models, and those of connections while nothing runs.</summary>
    static async Task<LanguageModel[]> CheckModelsAsync(
        Screen screen, CliEnvironment environment, Choice choice, LocalModels models, CancellationToken cancel)
    {
        var local = await MachineModels.ChooseAsync(screen, models, cancel);
        var hasConnections = Directory.Exists(Path.Combine(choice.Data, "connections"));
        if (!hasConnections) return local is null ? [] : [local];
        await using var client = await DataFolder.OpenAsync(environment, choice.Data, cancel);
        if (client.IsServerRunning)
        {
            throw new CommandException(
                $"a server runs already on {choice.Data}: millrace runs --data {choice.Data} shows what it does");
        }

        var remote = await MachineModels.CheckRemoteAsync(screen, environment, client, cancel);
        return [.. remote.Prepend(local).OfType<LanguageModel>()];
    }

    static ServerOptions Options(CliEnvironment environment, Choice choice, ScreenLog log)
    {
        var standard = new PlatformOptions { DataFolder = choice.Data };
        var code = new CodeCache(environment.CodeFolder);
        if (choice.Workers > 0) standard = WorkerCommand.InWorkers(standard, choice.Workers, code, isAheadOfTime: true);
        return new ServerOptions
        {
            Platform = standard with
            {
                RemoteVerdict = MachineModels.Checks(environment).RemoteVerdict,
                Lease = Milliseconds("MILLRACE_LEASE_MS", environment.LeaseMs) ?? standard.Lease,
                SendDeadline = Milliseconds("MILLRACE_SEND_DEADLINE_MS", environment.SendDeadlineMs)
                    ?? standard.SendDeadline,
                FailPoint = environment.FailPoint is { } text ? KillPoint.Parse(text).Hit : null,
                SkipsFind = environment.SkipsFind,
                Notice = log.Say,
            },
            Address = choice.Address,
            Port = choice.Port,
            PagesPort = choice.PagesPort,
            Logging = log,
        };
    }

    static TimeSpan? Milliseconds(string name, string? text)
    {
        if (text is null) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? TimeSpan.FromMilliseconds(number)
            : throw new CommandException($"{name}={text}: a number of milliseconds");
    }

    static async Task<ServerHost> StartAsync(ServerOptions options)
    {
        try
        {
            return await ServerHost.StartAsync(options);
        }
        catch (Exception e) when (e is PlatformException or ServerException)
        {
            throw DataFolder.Unusable(options.Platform.DataFolder, e);
        }
    }

    static async Task UntilStoppedAsync(CancellationToken cancel)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = cancel.Register(stopped.SetResult);
        await stopped.Task;
    }
}
