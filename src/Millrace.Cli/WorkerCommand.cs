using System.CommandLine;
using Millrace.Flows;
using Millrace.Sandbox;
using Millrace.Wasm;

namespace Millrace.Cli;

/// <summary><c>millrace worker</c>: the process that guests run in. Started by the host only.</summary>
static class WorkerCommand
{
    const string Name = "worker";

    public static Command Create()
    {
        var socket = new Argument<string>("socket");
        var command = new Command(Name, "Executes guests for its host.") { socket };
        command.Hidden = true;
        command.SetAction(result => GuestWorker.Run(result.GetRequiredValue(socket)));
        return command;
    }

    /// <summary>How workers are started: this program again.</summary>
    public static WorkerOptions Options(int spares) => new() { Command = Shipped.Program(Name), Spares = spares };

    /// <summary>Has the guests of a platform run in worker processes.</summary>
    /// <param name="options">Of the platform.</param>
    /// <param name="spares">Workers kept ready.</param>
    /// <param name="code">Where machine code of modules lies.</param>
    /// <param name="isAheadOfTime">Whether it is made where it lacks.</param>
    public static PlatformOptions InWorkers(
        PlatformOptions options, int spares, CodeCache? code, bool isAheadOfTime) =>
        options with
        {
            Workers = Options(spares) with { Cache = code, IsAheadOfTime = isAheadOfTime },
            SharedPackages = [.. Shipped.Integrations().Select(folder => Package.Load(folder).Digest)],
        };
}
