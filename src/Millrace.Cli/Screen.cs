using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Millrace.Cli;

/// <summary>A command cannot do what was asked; the message says what to do next.</summary>
sealed class CommandException(string message, int exitCode = 2) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}

/// <summary>Results go to standard output; all that is said to a person goes to standard error.</summary>
sealed class Screen
{
    static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        // For a terminal, not for a page: + and quotes stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    readonly TextReader _input;
    readonly TextWriter _output;
    readonly TextWriter _errors;
    readonly IAnsiConsole? _live;

    /// <summary>The process's own streams.</summary>
    public static Screen OfProcess() => new(Console.In, Console.Out, Console.Error)
    {
        IsInteractive = !Console.IsInputRedirected && !Console.IsErrorRedirected,
        IsOutputTerminal = !Console.IsOutputRedirected,
    };

    public Screen(TextReader input, TextWriter output, TextWriter errors)
    {
        (_input, _output, _errors) = (input, TextWriter.Synchronized(output), TextWriter.Synchronized(errors));
        var isTerminal = errors == Console.Error && !Console.IsErrorRedirected;
        _live = isTerminal ? AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(errors) }) : null;
    }

    /// <summary>Whether a person sits at the terminal.</summary>
    public bool IsInteractive { get; init; }

    /// <summary>Whether results are shown on a terminal, which words of a stranger's must not steer.</summary>
    public bool IsOutputTerminal { get; init; }

    /// <summary>Where results go.</summary>
    public TextWriter Output => _output;

    /// <summary>One line for the person.</summary>
    public void Note(string text) => _errors.WriteLine(text);

    /// <summary>The result, as it is.</summary>
    public void Result(string text) => _output.WriteLine(text);

    /// <summary>The result as JSON.</summary>
    public void Result(JsonNode json) => _output.WriteLine(json.ToJsonString(Indented));

    /// <summary>A question with a yes or a no; no, where nobody can answer.</summary>
    public bool Ask(string question)
    {
        if (!IsInteractive) return false;
        _errors.Write($"{question} [y/N] ");
        return _input.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }

    /// <summary>A part of the result, as it comes: nothing in it may steer a terminal.</summary>
    public void Write(string text)
    {
        _output.Write(IsOutputTerminal ? string.Concat(text.Where(c => !char.IsControl(c) || c is '\n' or '\t')) : text);
        _output.Flush();
    }

    /// <summary>Asks for a line.</summary>
    public void Prompt(string text)
    {
        _errors.Write(text);
        _errors.Flush();
    }

    /// <summary>All that is left of the input.</summary>
    public string ReadAll() => _input.ReadToEnd();

    /// <summary>One line of input; null at its end.</summary>
    public string? ReadLine() => _input.ReadLine();

    /// <summary>Asks for a secret, which the terminal does not show.</summary>
    public string AskHidden(string question)
    {
        _errors.Write($"{question}: ");
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace) typed.Length = Math.Max(0, typed.Length - 1);
            else if (!char.IsControl(key.KeyChar)) typed.Append(key.KeyChar);
        }

        _errors.WriteLine();
        return typed.ToString();
    }

    /// <summary>Does a thing that may take over a second: a spinner on a terminal, else one line at its start.</summary>
    /// <param name="text">What is being done.</param>
    /// <param name="work">The work; it may say how far it is.</param>
    public async Task<T> ProgressAsync<T>(string text, Func<IProgress<string>, Task<T>> work)
    {
        if (_live is null || !_live.Profile.Capabilities.Ansi)
        {
            Note($"{text} ...");
            return await work(new Line(_ => { }));
        }

        return await _live.Status().StartAsync(
            Markup.Escape(text), context => work(new Line(more => context.Status(Markup.Escape($"{text}: {more}")))));
    }

    /// <summary>A table as the result: columns as wide as their longest cell, the last one unbounded.</summary>
    public void Table(string[] heads, IEnumerable<string[]> rows)
    {
        var all = rows.Prepend(heads).ToList();
        var widths = heads.Select((_, i) => all.Max(row => row[i].Length)).ToArray();
        foreach (var row in all)
        {
            var cells = row.Select((cell, i) => i == row.Length - 1 ? cell : cell.PadRight(widths[i]));
            _output.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }

    // Progress<T> posts to a context; here the words come in order and at once.
    sealed class Line(Action<string> say) : IProgress<string>
    {
        public void Report(string value) => say(value);
    }
}
