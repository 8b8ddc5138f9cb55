using System.Collections.Immutable;
using System.CommandLine;
using Millrace.Nn;

namespace Millrace.Cli.Computing;

/// <summary>Models by the names that guests load them under.</summary>
static class GrantedModels
{
    const string Name = "--nn-preload";

    public static Option<string[]> Option(string what) => new(Name)
    {
        Description = $"{what}: NAME:ENCODING:TARGET:PATH, as default:GGML:AUTO:model.gguf.",
    };

    public static ImmutableDictionary<string, NamedModel> Read(CliEnvironment environment, string[] texts)
    {
        var models = ImmutableDictionary<string, NamedModel>.Empty;
        foreach (var text in texts)
        {
            try
            {
                var model = NamedModel.Parse(text);
                if (models.ContainsKey(model.Name)) throw new FormatException($"two models have the name '{model.Name}'");
                // A model of this machine's own store goes by its name.
                if (model.Encoding == NnEncoding.Ggml && MachineModels.IsLocal(environment, model.Paths[0]))
                    model = model with { Paths = [MachineModels.Find(environment, model.Paths[0])] };
                if (model.Paths.All(File.Exists)) model = model with { Files = [.. model.Paths.Select(NnFile.Of)] };
                models = models.Add(model.Name, model);
            }
            catch (FormatException e)
            {
                throw new CommandException($"{Name} {text}: {e.Message}");
            }
        }

        return models;
    }
}
