using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Millrace.Cli.Computing;
using Millrace.Flows;
using Millrace.Server;

namespace Millrace.Cli;

/// <summary>The whole command: every sub-command, and what its failures say and answer.</summary>
static class MillraceCommand
{
    /// <summary>What was asked for failed.</summary>
    public const int Failed = 1;

    /// <summary>It could not be understood, or not be begun.</summary>
    public const int Unable = 2;

    const int Interrupted = 130;

    // Words further apart than this are not the same word mistyped.
    const int DistanceMax = 3;

    // A planned stop waits for writes that were sent; their deadline is 30 s.
    static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(45);

    const string About = """
        Millrace runs LLM agents as WebAssembly functions, each in a sandbox of its own.

        Watch it review a change:        millrace demo
        Review your own branch:          millrace review main..HEAD
        Make, deploy and call your own:  millrace new hello && millrace deploy hello && millrace serve
        See what is missing here:        millrace doctor
        """;

    public static RootCommand Create(Screen screen, CliEnvironment environment) => new(About)
    {
        DemoCommand.Create(screen, environment, TimeProvider.System),
        ReviewCommand.Create(screen, environment, TimeProvider.System),
        NewCommand.Create(screen),
        DeployCommand.Create(screen, environment),
        ServeCommand.Create(screen, environment),
        FlowsCommand.Create(screen, environment),
        RunsCommand.Create(screen, environment),
        LogsCommand.Create(screen, environment),
        ConnectionsCommand.Create(screen, environment),
        ModelsCommand.Create(screen, environment),
        ChatCommand.Create(screen, environment),
        KeysCommand.Create(screen, environment),
        RunCommand.Create(screen, environment),
        NnCommand.Create(screen, () => NnEngines.InWorker(screen.Note)),
        CompileCommand.Create(screen, environment),
        InspectCommand.Create(screen),
        WastCommand.Create(screen),
        DoctorCommand.Create(screen, environment),
        InferenceWorkerCommand.Create(),
        NnEngines.CreateWorker(),
        WorkerCommand.Create(),
    };

    /// <summary>Understands the arguments, does what they say, and answers the exit code.</summary>
    public static async Task<int> RunAsync(
        string[] arguments, Screen screen, CliEnvironment environment, CancellationToken cancel = default)
    {
        var root = Create(screen, environment);
        var parsed = root.Parse(arguments.Length == 0 ? ["--help"] : RunCommand.Guarded(root, arguments));
        if (Misunderstood(parsed) is { } why)
        {
            screen.Note($"millrace: {why}");
            screen.Note(Suggestion(parsed));
            return Unable;
        }

        try
        {
            var configuration = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                // Of chat, Ctrl-C is its own matter.
                ProcessTerminationTimeout = parsed.CommandResult.Command.Name == ChatCommand.Name ? null : StopTimeout,
                Output = screen.Output,
            };
            return await parsed.InvokeAsync(configuration, cancel);
        }
        catch (CommandException e)
        {
            screen.Note($"millrace: {e.Message}");
            return e.ExitCode;
        }
        catch (Exception e) when (e is ServerException or PlatformException)
        {
            screen.Note($"millrace: {e.Message}");
            return Failed;
        }
        catch (OperationCanceledException)
        {
            return Interrupted;
        }
    }

    /// <summary>What is wrong with the words; null: nothing.</summary>
    static string? Misunderstood(ParseResult parsed)
    {
        if (MistakenOption(parsed) is { } mistaken) return $"there is no option {mistaken}";
        // Help and version are asked for in spite of errors.
        if (parsed.Action is not ParseErrorAction) return null;
        if (parsed.UnmatchedTokens is not [var word, ..]) return parsed.Errors[0].Message;
        return word.StartsWith("--", StringComparison.Ordinal)
            ? $"there is no option {word}" : $"'{word}' is not understood";
    }

    /// <summary>The parser takes an unknown option for an argument's value; only a program's may begin so.</summary>
    static string? MistakenOption(ParseResult parsed) =>
        parsed.CommandResult.Children.OfType<ArgumentResult>()
            .Where(argument => parsed.CommandResult.Command.Name is not RunCommand.Name
                || argument.Argument.Name is RunCommand.Module)
            .SelectMany(argument => argument.Tokens)
            .Select(token => token.Value).FirstOrDefault(value => value.StartsWith("--", StringComparison.Ordinal));

    /// <summary>What to type instead: the nearest known word, else where the words stand.</summary>
    static string Suggestion(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var path = string.Join(' ', Path(parsed.CommandResult).Reverse());
        var known = command.Options.Select(option => option.Name).Concat(command.Subcommands
            .Where(sub => !sub.Hidden).Select(sub => sub.Name)).ToList();
        var near = parsed.UnmatchedTokens.Prepend(MistakenOption(parsed)).OfType<string>()
            .Select(token => (token, Word: known.MinBy(word => Distance(token, word))))
            .FirstOrDefault(pair => pair.Word is { } word && Distance(pair.token, word) <= DistanceMax);
        return near.Word is { } better
            ? $"did you mean {better}? `{path} --help` shows all"
            : $"`{path} --help` shows how it is called";
    }

    static IEnumerable<string> Path(CommandResult result)
    {
        for (var at = result; at is not null; at = at.Parent as CommandResult)
            yield return at.Command is RootCommand ? "millrace" : at.Command.Name;
    }

    /// <summary>Letters to add, drop or change (Levenshtein).</summary>
    static int Distance(string a, string b)
    {
        // --token for --token-stdin: begun, not finished.
        if (a.StartsWith("--", StringComparison.Ordinal) && b.StartsWith(a, StringComparison.Ordinal)) return 1;
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}
