using Millrace.Cli.Reviewing;
using Millrace.Inference;

namespace Millrace.Cli.Pulling;

/// <summary>
/// Offers a model where none passed the check: once, to a person at a terminal, after the first review is on screen.
/// </summary>
static class ModelOffer
{
    /// <summary>Small, good at reading code, and free to use (Apache-2.0).</summary>
    public const string Source = "hf:unsloth/Qwen3-4B-Instruct-2507-GGUF";

    public static async Task MakeAsync(
        Screen screen, CliEnvironment environment, ModelChoice choice, CancellationToken cancel)
    {
        // Whoever named a model, or has no library to run one, has nothing of another one.
        if (!screen.IsInteractive || choice.IsNamed || choice.Chosen is { Passed: true } || NativeLibraries.LlamaFolder() is null) return;
        var mark = Path.Combine(environment.Folder, "model-offered");
        if (File.Exists(mark)) return;
        Directory.CreateDirectory(environment.Folder);
        await File.WriteAllTextAsync(mark, "", cancel);
        screen.Note("");
        screen.Note("No model here passed the check, so this review holds only what is computed.");
        if (!screen.Ask($"Pull {Source} (Q4_K_M, Apache-2.0), so that the next one has a summary too?"))
        {
            screen.Note("you are not asked again; later: millrace models pull");
            return;
        }

        try
        {
            var pulled = await ModelPulls.PullAsync(screen, environment, new(Source), cancel);
            await using var models = MachineModels.Open(environment, pulled.Path);
            var verdict = await MachineModels.CheckAsync(screen, models, models.Files()[0], isForced: false, cancel);
            screen.Result(MachineModels.Verdict(verdict));
        }
        catch (CommandException e)
        {
            // The review is done: that no model came for the next one is not its failure.
            screen.Note(e.Message);
        }
    }
}
