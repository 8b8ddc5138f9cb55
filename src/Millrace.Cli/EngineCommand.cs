using System.CommandLine;
using Millrace.Inference;

namespace Millrace.Cli;

/// <summary><c>millrace models engine</c>: the build of llama.cpp that computes, and those for GPUs.</summary>
static class EngineCommand
{
    public static Command Create(Screen screen, CliEnvironment environment)
    {
        var build = new Argument<string?>("build")
        {
            Description = $"{string.Join(" or ", LlamaBuild.Fetchable)}; left out: what the hardware suits.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("engine", $"""
            Fetches the build of llama.cpp for this machine's GPU, and says what computes. Fetched builds are used where
            their hardware is found; {LlamaBuild.Variable}=cpu|vulkan|cuda, or a folder, overrules that. One that does not
            work is passed over for the CPU's, and the last line says so.

            millrace models engine
            millrace models engine vulkan
            """) { build };
        command.SetAction(async (result, cancel) =>
        {
            if (NativeLibraries.LlamaFolder() is null) throw new CommandException(NativeLibraries.WhyAbsent);
            if (result.GetValue(build) is { } named) await FetchAsync(screen, named, cancel);
            else if (LlamaBuild.Suited() is { } suited) await TryFetchAsync(screen, suited, cancel);
            await using var models = MachineModels.Open(environment);
            screen.Result((await FindAsync(models.Client, cancel)).Text);
            return 0;
        });
        return command;
    }

    /// <summary>What computes, in one line, and whether it is the build that was chosen. A GPU's build writes a word for it.</summary>
    public static async Task<(string Text, bool IsAsChosen)> FindAsync(InferenceClient client, CancellationToken cancel)
    {
        var chosen = LlamaBuild.Choose();
        if (!chosen.IsGpu) return ($"{chosen.Name}: {chosen.Why}", true);
        var trial = new ChatJob(Shipped.TinyModel, [new("user", "Hello!")], MaxTokens: 8, new(0, 1, 1), []);
        for (var left = LlamaBuild.Fetchable.Length; ; left--)
        {
            try
            {
                await client.ChatAsync(trial, cancel);
                var text = await client.EngineAsync(cancel);
                return (text, text.StartsWith(chosen.Name, StringComparison.Ordinal));
            }
            catch (InferenceException e) when (e.IsTransient && left > 0)
            {
                // Its worker died of it, and the next best build takes over.
            }
            catch (InferenceException e)
            {
                return ($"none: {e.Message}", false);
            }
        }
    }

    // What is there already computes all the same.
    static async Task TryFetchAsync(Screen screen, string name, CancellationToken cancel)
    {
        try
        {
            await FetchAsync(screen, name, cancel);
        }
        catch (CommandException e)
        {
            screen.Note($"the build for {name} did not come: {e.Message}");
        }
    }

    static async Task FetchAsync(Screen screen, string name, CancellationToken cancel)
    {
        try
        {
            await screen.ProgressAsync($"fetching llama.cpp for {name} with npm", async _ =>
            {
                await LlamaBuild.FetchAsync(name, cancel);
                return name;
            });
        }
        catch (InferenceException e)
        {
            throw new CommandException(e.Message);
        }
    }
}
