using System.Collections.Immutable;
using System.CommandLine;
using System.Runtime.InteropServices;
using Millrace.Inference;

namespace Millrace.Cli;

/// <summary><c>millrace inference-worker</c>: the process that native engines live in. Started by the host only.</summary>
static class InferenceWorkerCommand
{
    public const string Name = "inference-worker";

    public static Command Create()
    {
        var socket = new Argument<string>("socket");
        var command = new Command(Name, "Answers the host's model requests.") { socket };
        command.Hidden = true;
        command.SetAction(result => RunAsync(result.GetRequiredValue(socket)));
        return command;
    }

    public static async Task<int> RunAsync(string socket)
    {
        // Signals that a terminal or a service's stop sends to all are the host's matter: it lets answers end, then hangs up.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static signal => signal.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, static signal => signal.Cancel = true);
        return await InferenceWorker.RunAsync(socket);
    }

    /// <summary>A worker of this program.</summary>
    public static InferenceOptions Options() => new(CommandLine());

    /// <summary>The command line that starts this program as a worker.</summary>
    public static ImmutableArray<string> CommandLine() => Shipped.Program(Name);
}
