using System.CommandLine;
using System.Globalization;
using Millrace.Inference;

namespace Millrace.Cli;

/// <summary><c>millrace models add</c>: a model with LoRA adapters under a name of its own.</summary>
static class AddCommand
{
    public static Command Create(Screen screen, CliEnvironment environment)
    {
        var name = new Argument<string>("name") { Description = "What it is to be called." };
        var model = new Argument<string>("model") { Description = "The model: a .gguf file, or a name of `millrace models list`." };
        var lora = new Option<string[]>("--lora")
        {
            Description = "An adapter: a .gguf file or a name, and how much of it is added (1 where left out). Can be repeated.",
            HelpName = "ADAPTER[=SCALE]",
            Required = true,
        };
        var command = new Command("add", """
            Adds a model that consists of another one and of LoRA adapters. It goes by its name wherever a model does: in
            chat, in the API, in flows and for --nn-preload. The weights are shared with the model as it is.

            millrace models add clerk Qwen3-4B-Instruct-2507-Q4_K_M --lora ~/letters.gguf
            millrace models add clerk model.gguf --lora letters.gguf=0.5 --lora tone.gguf
            """) { name, model, lora };
        command.SetAction(async (result, cancel) =>
        {
            var adapted = new AdaptedModel(
                MachineModels.Find(environment, result.GetRequiredValue(model)),
                [.. result.GetRequiredValue(lora).Select(text => Adapter(environment, text))]);
            await AddAsync(screen, environment, result.GetRequiredValue(name), adapted, cancel);
            return 0;
        });
        return command;
    }

    static ModelAdapter Adapter(CliEnvironment environment, string text)
    {
        var (file, scale) = (text, 1.0);
        // A file's name may have the sign in it, too.
        if (text.LastIndexOf('=') is > 0 and var at && !File.Exists(text))
        {
            file = text[..at];
            if (!double.TryParse(text[(at + 1)..], CultureInfo.InvariantCulture, out scale) || !double.IsFinite(scale))
                throw new CommandException($"--lora {text}: what is behind = is a number, as 0.5");
        }

        return MachineModels.IsLocal(environment, file) ? new(MachineModels.Find(environment, file), scale)
            : throw new CommandException($"--lora {text}: there is no file {file}");
    }

    static async Task AddAsync(
        Screen screen, CliEnvironment environment, string name, AdaptedModel adapted, CancellationToken cancel)
    {
        if (name.Length == 0 || name != Path.GetFileName(name) || name.StartsWith('.'))
            throw new CommandException($"'{name}' cannot be a model's name: it becomes a file's");
        if (MachineModels.IsLocal(environment, name))
            throw new CommandException($"there is a model {name} already: take another name, or `millrace models rm {name}`");
        var folder = MachineModels.Folder(environment);
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, name + AdaptedModel.Ending);
        try
        {
            adapted.Write(path);
            if (NativeLibraries.LlamaFolder() is not null) await TryAsync(screen, environment, name, path, cancel);
        }
        catch (InferenceException e)
        {
            File.Delete(path);
            throw new CommandException(e.Message, MillraceCommand.Failed);
        }

        screen.Result($"{name} is there: {Path.GetFileName(adapted.Model)} with {Words.Count(adapted.Adapters.Length, "adapter")}");
        screen.Note($"talk to it: millrace chat {name}");
    }

    // Whether the adapters are for this model is known when they are loaded with it.
    static async Task TryAsync(Screen screen, CliEnvironment environment, string name, string path, CancellationToken cancel)
    {
        await using var models = MachineModels.Open(environment, path);
        await screen.ProgressAsync<int>($"loading {name}", async _ =>
        {
            await models.Client.DescribeAsync(path, cancel);
            return 0;
        });
    }
}
