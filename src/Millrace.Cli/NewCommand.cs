using System.CommandLine;

namespace Millrace.Cli;

/// <summary><c>millrace new</c>: a folder with a working function, from a template.</summary>
static class NewCommand
{
    static readonly Dictionary<string, (string Folder, string Says)> Templates = new()
    {
        ["hello"] = ("hello", "greets whoever calls it by HTTP"),
        ["review"] = ("code_review", "reviews pull requests"),
    };

    public static Command Create(Screen screen)
    {
        var template = new Argument<string>("template")
        {
            Description = string.Join("; ", Templates.Select(entry => $"{entry.Key}: {entry.Value.Says}")),
        };
        template.AcceptOnlyFromAmong([.. Templates.Keys]);
        var folder = new Argument<string?>("folder")
        {
            Description = "Where to; the template's name when left out.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new Command("new", "Makes a function of your own from a template.") { template, folder };
        command.SetAction(result =>
        {
            var name = result.GetRequiredValue(template);
            return Copy(screen, name, result.GetValue(folder) ?? name);
        });
        return command;
    }

    static int Copy(Screen screen, string template, string folder)
    {
        var target = new DirectoryInfo(folder);
        if (target.Exists && target.EnumerateFileSystemInfos().Any())
            throw new CommandException($"{folder} is there and not empty; name another folder: millrace new {template} FOLDER");
        var source = Shipped.Guest(Templates[template].Folder);
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var to = Path.Combine(target.FullName, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }

        screen.Note($"made {folder}: flow.yaml says what it may do, the .wasm beside it is built and ready");
        screen.Note($"next: millrace deploy {folder}");
        return 0;
    }
}
