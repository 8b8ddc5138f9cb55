using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Millrace.Cli.Pulling;
using Millrace.Inference;

namespace Millrace.Cli;

/// <summary><c>millrace models pull, show, rm</c>: the model files of this machine.</summary>
static class ModelFilesCommand
{
    public static Command CreatePull(Screen screen, CliEnvironment environment)
    {
        var source = new Argument<string>("source")
        {
            Description = "hf:ORG/REPO, hf:ORG/REPO/FILE.gguf, or an address. Left out: a small model that reads code well.",
            DefaultValueFactory = _ => ModelOffer.Source,
        };
        var sha256 = new Option<string?>("--sha256")
        {
            Description = "The hash the file must have; a hub names it itself.",
            HelpName = "HEX",
        };
        var json = DataFolder.JsonOption();
        var command = new Command("pull", """
            Fetches a model into the model folder. What broke off goes on where it stopped; the file gets its name when
            its SHA-256 is right. Of a repository without a FILE the Q4_K_M one is taken. HF_TOKEN is sent to the hub
            alone; MILLRACE_HUB names another hub.

            millrace models pull
            millrace models pull hf:ORG/REPO/FILE.gguf
            """) { source, sha256, json };
        command.SetAction(async (result, cancel) =>
        {
            var pulled = await ModelPulls.PullAsync(
                screen, environment, new(result.GetRequiredValue(source), result.GetValue(sha256)), cancel);
            if (result.GetValue(json))
            {
                screen.Result(DataFolder.ToJson(pulled));
                return 0;
            }

            var name = Path.GetFileNameWithoutExtension(pulled.Path);
            screen.Result($"{name} {(pulled.WasThere ? "is there already" : "is there")}: {pulled.Path}, {Words.Size(pulled.Bytes)}");
            screen.Note($"see what it can: millrace models show {name}, millrace models check {name}");
            return 0;
        });
        return command;
    }

    public static Command CreateShow(Screen screen, CliEnvironment environment)
    {
        var name = Name();
        var template = new Option<bool>("--template") { Description = "The chat template itself, and nothing else." };
        var json = DataFolder.JsonOption();
        var command = new Command("show", "Shows what a model file says of itself.") { name, template, json };
        command.SetAction(result =>
        {
            var path = MachineModels.Find(environment, result.GetRequiredValue(name));
            var header = Read(path);
            if (result.GetValue(template))
            {
                screen.Write(header.ChatTemplate ?? throw new CommandException($"{path} has no chat template", MillraceCommand.Failed));
                screen.Result("");
                return 0;
            }

            if (result.GetValue(json)) screen.Result(ToJson(path, header));
            else Show(screen, path, header);
            return 0;
        });
        return command;
    }

    static GgufHeader Read(string path)
    {
        try
        {
            return GgufHeader.Read(AdaptedModel.WeightsOf(path));
        }
        catch (InferenceException e)
        {
            throw new CommandException(e.Message, MillraceCommand.Failed);
        }
    }

    static void Show(Screen screen, string path, GgufHeader header)
    {
        const string Unknown = "not said";
        var template = header.ChatTemplate is { } text
            ? $"{Words.Count(text.Length, "character")}: --template shows it" : "none: it answers no conversations";
        (string Head, string Value)[] rows =
        [
            ("file", path),
            ("name", header.Text("general.name") ?? Unknown),
            ("architecture", header.Architecture is { Length: > 0 } architecture ? architecture : Unknown),
            ("parameters", header.Parameters.ToString("N0", CultureInfo.InvariantCulture)),
            ("weights", $"{header.MainType}, {header.Tensors} tensors"),
            ("context", header.ContextTokens is { } tokens ? Words.Count((long)tokens, "token") : Unknown),
            ("template", template),
            ("licence", header.Licence ?? Unknown),
            ("size", Words.Size(ModelFolder.BytesOf(path))),
        ];
        foreach (var (head, value) in rows) screen.Result($"{head,-13} {Words.Plain(value)}");
        foreach (var adapter in Adapters(path))
        {
            var scale = adapter.Scale.ToString(CultureInfo.InvariantCulture);
            screen.Result($"{"adapter",-13} {Words.Plain(adapter.Path)}, scale {scale}");
        }

    }

    static ImmutableArray<ModelAdapter> Adapters(string path) => AdaptedModel.IsOne(path) ? AdaptedModel.Read(path).Adapters : [];

    static JsonObject ToJson(ModelAdapter adapter) => new() { ["path"] = adapter.Path, ["scale"] = adapter.Scale };

    static JsonObject ToJson(string path, GgufHeader header) => new()
    {
        ["name"] = Path.GetFileNameWithoutExtension(path),
        ["path"] = path,
        ["bytes"] = ModelFolder.BytesOf(path),
        ["title"] = header.Text("general.name"),
        ["architecture"] = header.Architecture,
        ["parameters"] = header.Parameters,
        ["weights"] = header.MainType,
        ["tensors"] = header.Tensors,
        ["context_tokens"] = header.ContextTokens,
        ["template"] = header.ChatTemplate,
        ["licence"] = header.Licence,
        ["adapters"] = new JsonArray([.. Adapters(path).Select(ToJson)]),
    };

    public static Command CreateRemove(Screen screen, CliEnvironment environment)
    {
        var name = Name();
        var command = new Command("rm", "Deletes a model of the model folder, or what there is of one.") { name };
        command.SetAction(result =>
        {
            var wanted = result.GetRequiredValue(name);
            var folder = MachineModels.Folder(environment);
            if (ModelFolder.Remove(folder, wanted) is { } bytes)
            {
                screen.Result($"{wanted} is deleted: {Words.Size(bytes)} free again");
                return 0;
            }

            throw new CommandException(MachineModels.IsLocal(environment, wanted)
                ? $"{wanted} is not in the model folder {folder}: only what lies there is deleted"
                : $"there is no model {wanted}; `millrace models list` shows them");
        });
        return command;
    }

    static Argument<string> Name() => new("name") { Description = "A model of `millrace models list`." };
}
