using System.Collections.Immutable;
using System.CommandLine;
using Millrace.Inference;
using Millrace.Nn;

namespace Millrace.Cli.Computing;

/// <summary>The engines, and whatever lives as long as they are used.</summary>
sealed class NnEngines(ImmutableArray<INnBackend> backends, params InferenceClient[] clients) : IDisposable
{
    const string Worker = "nn-worker";

    public ImmutableArray<INnBackend> Backends => backends;

    /// <summary>In a process of their own, which starts when the first model is loaded.</summary>
    /// <param name="log">Takes a line for each option that does nothing here.</param>
    public static NnEngines InWorker(Action<string> log)
    {
        var client = Client();
        var texts = new InferenceClient(InferenceWorkerCommand.Options());
        return new(NnBackends.InWorker(client, texts, Console.OpenStandardOutput(), log), client, texts);
    }

    /// <summary>As <see cref="InWorker(Action{string})"/>, with a server's own client for models of text.</summary>
    public static NnEngines InWorker(InferenceClient texts, Action<string> log)
    {
        var client = Client();
        return new(NnBackends.InWorker(client, texts, log: log), client);
    }

    static InferenceClient Client() => new(new(Shipped.Program(Worker)));

    /// <summary>The command that is that process. Started by the host only.</summary>
    public static Command CreateWorker()
    {
        var socket = new Argument<string>("socket");
        var rest = new Argument<string[]>("rest") { Arity = ArgumentArity.ZeroOrMore };
        var command = new Command(Worker, "Computes models for the host.") { socket, rest };
        command.Hidden = true;
        command.SetAction(result => NnWorker.RunAsync(result.GetRequiredValue(socket)));
        return command;
    }

    public void Dispose()
    {
        foreach (var client in clients) client.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
