using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Millrace.Inference;
using Millrace.Server;

namespace Millrace.Cli.Chatting;

/// <summary>One conversation with a model of this machine.</summary>
sealed class ChatSession(Screen screen, CliEnvironment environment, LocalModels models, ModelFile model, string? system, bool isJson)
{
    const string Help = """
        /help            this
        /clear           begins anew; the system prompt stays
        /system [TEXT]   shows or sets the system prompt, and begins anew
        /model [NAME]    shows or changes the model; the conversation stays
        /set [NAME N]    shows or changes a setting
        /save FILE       writes the conversation
        /load FILE       takes one up
        /exit            ends; so does Ctrl-D
        A line that ends in \ goes on in the next. Ctrl-C stops an answer.
        """;

    static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    readonly ChatSettings _settings = new();
    readonly List<ChatTurn> _turns = [];
    readonly Lock _lock = new();
    ModelFile _model = model;
    string? _system = system;
    CancellationTokenSource? _answering;

    /// <summary>The prompt's format by name; null for the model file's own.</summary>
    public string? Template { get; init; }

    sealed record Saved(string Model, string? System, List<SavedTurn> Turns);

    sealed record SavedTurn(string Role, string Content);

    /// <summary>Reads until the end of the input: one question a line.</summary>
    /// <returns>The exit code: 1 where a question was not answered.</returns>
    public async Task<int> RunAsync(CancellationToken cancel)
    {
        if (screen.IsInteractive) screen.Note($"{_model.Name}; /help shows what there is");
        var code = 0;
        while (await ReadAsync() is { } line)
        {
            if (line.Trim() is "/exit" or "/quit") break;
            if (string.IsNullOrWhiteSpace(line)) continue;
            if (line.StartsWith('/')) Command(line.Trim());
            else if (!await AskAsync(line, cancel)) code = MillraceCommand.Failed;
        }

        return screen.IsInteractive ? 0 : code;
    }

    /// <summary>Stops the answer that is being written; false: there is none.</summary>
    public bool Stop()
    {
        lock (_lock)
        {
            _answering?.Cancel();
            return _answering is not null;
        }
    }

    /// <summary>A line, with those that it goes on in; null at the end of the input.</summary>
    async Task<string?> ReadAsync()
    {
        var text = new StringBuilder();
        while (true)
        {
            if (screen.IsInteractive) screen.Prompt(text.Length == 0 ? "> " : ". ");
            // A terminal is read by a thread of its own: Ctrl-C must find this one free.
            if (await Task.Run(screen.ReadLine) is not { } line) return text.Length > 0 ? text.ToString() : null;
            if (!line.EndsWith('\\')) return text.Append(line).ToString();
            text.Append(line.AsSpan(0, line.Length - 1)).Append('\n');
        }
    }

    /// <summary>Puts a question and writes the answer as it comes; false: there is none.</summary>
    public async Task<bool> AskAsync(string question, CancellationToken cancel)
    {
        _turns.Add(new("user", question));
        using var answering = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        lock (_lock) _answering = answering;
        try
        {
            await AnswerAsync(answering.Token);
            return true;
        }
        catch (InferenceException e)
        {
            _turns.RemoveAt(_turns.Count - 1);
            screen.Note($"no answer: {Words.Plain(e.Message)}");
            return false;
        }
        finally
        {
            lock (_lock) _answering = null;
        }
    }

    async Task AnswerAsync(CancellationToken cancel)
    {
        var (text, begun, end) = (new StringBuilder(), TimeProvider.System.GetTimestamp(), (ChatEnd?)null);
        var first = begun;
        try
        {
            await foreach (var part in PartsAsync(cancel))
            {
                if (text.Length == 0) first = TimeProvider.System.GetTimestamp();
                text.Append(part.Text);
                end = part.End;
                if (!isJson) screen.Write(part.Text);
            }
        }
        catch (OperationCanceledException) when (text.Length > 0)
        {
            // What was said counts; the model is asked to go on from it.
        }
        catch (OperationCanceledException)
        {
            _turns.RemoveAt(_turns.Count - 1);
            screen.Note("stopped");
            return;
        }

        _turns.Add(new("assistant", text.ToString()));
        Tell(text.ToString(), end, TimeProvider.System.GetElapsedTime(first), TimeProvider.System.GetElapsedTime(begun));
    }

    void Tell(string text, ChatEnd? end, TimeSpan writing, TimeSpan whole)
    {
        // The first token comes with the prompt's time, the others with their own.
        var rate = end is { CompletionTokens: > 1 } && writing > TimeSpan.Zero ? (end.CompletionTokens - 1) / writing.TotalSeconds : 0;
        if (isJson)
        {
            screen.Result(JsonSerializer.Serialize(new
            {
                content = text,
                finish_reason = end?.FinishReason ?? "stopped",
                model = _model.Name,
                prompt_tokens = end?.PromptTokens,
                cached_tokens = end?.CachedTokens,
                completion_tokens = end?.CompletionTokens,
                seconds = Math.Round(whole.TotalSeconds, 3),
                tokens_per_second = Math.Round(rate, 1),
            }));
            return;
        }

        screen.Result("");
        if (!screen.IsInteractive) return;
        if (end is null)
        {
            screen.Note("(stopped)");
            return;
        }

        var cut = end.FinishReason == "length" ? ", cut by its limit" : "";
        screen.Note(string.Create(CultureInfo.InvariantCulture,
            $"({Words.Count(end.CompletionTokens, "token")}, {rate:0.0} a second; {end.PromptTokens} read{cut})"));
    }

    /// <summary>The answer; where the conversation has grown too long, its oldest turns are forgotten first.</summary>
    async IAsyncEnumerable<ChatPart> PartsAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            var parts = models.Client.StreamAsync(Job(), cancel).GetAsyncEnumerator(cancel);
            await using (parts)
            {
                if (await BeginAsync(parts, cancel))
                {
                    do yield return parts.Current;
                    while (await parts.MoveNextAsync());
                    yield break;
                }
            }
        }
    }

    /// <summary>False: the conversation was too long, and is shorter now.</summary>
    async Task<bool> BeginAsync(IAsyncEnumerator<ChatPart> parts, CancellationToken cancel)
    {
        try
        {
            return await parts.MoveNextAsync();
        }
        catch (InferenceException e) when (e.Type == "context-exceeded" && _turns.Count > 1)
        {
            // An answer that is to be longer than the context fits into no conversation.
            if (_settings.MaxTokens >= (await models.Client.DescribeAsync(_model.Path, cancel)).ContextTokens) throw;
            _turns.RemoveRange(0, Math.Min(2, _turns.Count - 1));
            screen.Note("(the conversation no longer fits: its oldest turns are forgotten)");
            return false;
        }
    }

    ChatJob Job()
    {
        var turns = _system is null ? _turns : _turns.Prepend(new("system", _system));
        var chance = (uint)RandomNumberGenerator.GetInt32(int.MaxValue);
        return new(_model.Path, [.. turns], _settings.MaxTokens, _settings.Sampling(chance), []) { Template = Template };
    }

    void Command(string line)
    {
        var words = line.Split(' ', 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var rest = words.Length > 1 ? words[1] : null;
        var answer = words[0] switch
        {
            "/help" => Help,
            "/clear" => Clear(),
            "/system" => rest is null ? _system ?? "there is no system prompt" : System(rest),
            "/model" => rest is null ? $"{_model.Name} ({_model.Path})" : Model(rest),
            "/set" => Set(rest),
            "/save" => Guarded(rest, Save),
            "/load" => Guarded(rest, Load),
            _ => $"there is no {words[0]}; /help shows what there is",
        };
        screen.Note(answer);
    }

    string Clear()
    {
        _turns.Clear();
        return "begun anew";
    }

    string System(string text)
    {
        _system = text;
        return Clear();
    }

    string Model(string name)
    {
        if (!MachineModels.IsLocal(environment, name)) return $"there is no model {name}; `millrace models list` shows them";
        _model = ModelFile.Of(MachineModels.Find(environment, name));
        return $"{_model.Name} answers from now on";
    }

    string Set(string? rest)
    {
        if (rest is null) return _settings.ToString();
        var words = rest.Split([' ', '='], StringSplitOptions.RemoveEmptyEntries);
        return words.Length != 2 ? "write /set NAME NUMBER" : _settings.Set(words[0], words[1]) ?? _settings.ToString();
    }

    static string Guarded(string? path, Func<string, string> act)
    {
        if (path is null) return "name a file";
        try
        {
            return act(path);
        }
        catch (JsonException)
        {
            return $"{path} is no conversation of /save";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{path}: {e.Message}";
        }
    }

    string Save(string path)
    {
        var saved = new Saved(_model.Name, _system, [.. _turns.Select(turn => new SavedTurn(turn.Role, turn.Content))]);
        File.WriteAllText(path, JsonSerializer.Serialize(saved, Json) + "\n");
        return $"{Words.Count(_turns.Count, "turn")} written to {path}";
    }

    string Load(string path)
    {
        var saved = JsonSerializer.Deserialize<Saved>(File.ReadAllText(path), Json);
        if (saved?.Turns is null || saved.Turns.Any(turn => turn is not { Role: "user" or "assistant", Content: not null }))
            return $"{path} is no conversation of /save";
        _turns.Clear();
        _turns.AddRange(saved.Turns.Select(turn => new ChatTurn(turn.Role, turn.Content)));
        _system = saved.System;
        return $"{Words.Count(_turns.Count, "turn")} of a conversation with {Words.Plain(saved.Model)}";
    }
}
