using System.CommandLine;
using Millrace.Cli.Chatting;
using Millrace.Inference;
using Millrace.Server;

namespace Millrace.Cli;

/// <summary><c>millrace chat</c>: talks with a model of this machine.</summary>
static class ChatCommand
{
    /// <summary>Its Ctrl-C stops an answer, not the program.</summary>
    public const string Name = "chat";

    const string WholeInput = "-";

    public static Command Create(Screen screen, CliEnvironment environment)
    {
        var model = new Argument<string?>("model")
        {
            Description = "A .gguf file, or a name of `millrace models list`; left out: the largest that can talk.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var prompt = new Option<string?>("--prompt", "-p")
        {
            Description = "Answers this and ends; - takes all of the input for it.",
            HelpName = "TEXT",
        };
        var system = new Option<string?>("--system") { Description = "What the model is told first.", HelpName = "TEXT" };
        var template = new Option<string?>("--template")
        {
            Description = "The prompt's format by its LlamaEdge name, such as llama-2-chat; left out: the model file's own.",
            HelpName = "NAME",
        };
        var json = new Option<bool>("--json") { Description = "Each answer as one line of JSON." };
        var command = new Command(Name, """
            Talks with a model of this machine. Input that is no terminal is answered line by line. /help shows what else
            there is; Ctrl-C stops an answer, Ctrl-D ends.

            millrace chat
            echo 'What is a millrace?' | millrace chat
            millrace chat -p - < question.txt
            """) { model, prompt, system, template, json };
        command.SetAction(async (result, cancel) =>
        {
            if (NativeLibraries.LlamaFolder() is null) throw new CommandException(NativeLibraries.WhyAbsent);
            await using var models = MachineModels.Open(environment);
            var chosen = await ChooseAsync(environment, models, result.GetValue(model), cancel);
            var session = new ChatSession(screen, environment, models, chosen, result.GetValue(system), result.GetValue(json))
            {
                Template = result.GetValue(template),
            };
            void StopAnswer(object? sender, ConsoleCancelEventArgs pressed) => pressed.Cancel = session.Stop();
            Console.CancelKeyPress += StopAnswer;
            try
            {
                if (result.GetValue(prompt) is not { } text) return await session.RunAsync(cancel);
                return await session.AskAsync(text == WholeInput ? screen.ReadAll() : text, cancel) ? 0 : MillraceCommand.Failed;
            }
            finally
            {
                Console.CancelKeyPress -= StopAnswer;
            }
        });
        return command;
    }

    /// <summary>The model that was named; else one that passed the check, else the largest with a chat template.</summary>
    static async Task<ModelFile> ChooseAsync(CliEnvironment environment, LocalModels models, string? name, CancellationToken cancel)
    {
        if (name is not null) return ModelFile.Of(MachineModels.Find(environment, name));
        var passed = (await models.ListAsync(cancel)).FirstOrDefault(model => model.Passed);
        var files = models.Files();
        return files.FirstOrDefault(file => file.Name == passed?.Name) ?? files.FirstOrDefault(CanTalk)
            ?? throw new CommandException("there is no model that can talk; fetch one: millrace models pull");
    }

    static bool CanTalk(ModelFile file)
    {
        try
        {
            return GgufHeader.Read(AdaptedModel.WeightsOf(file.Path)).ChatTemplate is not null;
        }
        catch (InferenceException)
        {
            // A damaged file is no model; naming it says why.
            return false;
        }
    }
}
