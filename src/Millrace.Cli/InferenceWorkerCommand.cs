using System.Collections.Immutable;
using System.CommandLine;
using Millrace.Inference;

namespace Millrace.Cli;

/// <summary><c>millrace inference-worker</c>: the process that native engines live in. Started by the host only.</summary>
static class InferenceWorkerCommand
{
    const string Name = "inference-worker";

    public static Command Create()
    {
        var socket = new Argument<string>("socket");
        var command = new Command(Name, "Answers the host's model requests.") { socket };
        command.Hidden = true;
        command.SetAction(result => InferenceWorker.RunAsync(result.GetRequiredValue(socket)));
        return command;
    }

    /// <summary>A worker of this program.</summary>
    public static InferenceOptions Options() => new(CommandLine());

    /// <summary>The command line that starts this program as a worker.</summary>
    public static ImmutableArray<string> CommandLine() => Shipped.Program(Name);
}
