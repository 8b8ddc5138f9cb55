using System.CommandLine;
using System.Globalization;
using Millrace.Server;

namespace Millrace.Cli;

/// <summary><c>millrace keys</c>: who may ask the models of this machine over HTTP.</summary>
static class KeysCommand
{
    static readonly string[] Heads = ["KEY", "SCOPES", "TOKENS A DAY", "USED TODAY", "MADE"];
    static readonly string[] Standard = ["chat", "embeddings", "models"];

    public static Command Create(Screen screen, CliEnvironment environment) =>
        new("keys", "Makes, lists and revokes keys of the model API: /v1 of `millrace serve`, as OpenAI's clients speak it.")
        {
            CreateAdd(screen, environment),
            CreateList(screen, environment),
            CreateRevoke(screen, environment),
        };

    static Command CreateAdd(Screen screen, CliEnvironment environment)
    {
        var name = Name();
        var scope = new Option<string[]>("--scope")
        {
            Description = "What it is for: chat, embeddings, models, metrics; with commas between.",
            HelpName = "SCOPES",
            DefaultValueFactory = _ => [string.Join(',', Standard)],
        };
        var budget = new Option<string?>("--budget")
        {
            Description = "Most tokens of one day, UTC; no limit when left out.",
            HelpName = "TOKENS",
        };
        var (data, json) = (DataFolder.Option(environment), DataFolder.JsonOption());
        var command = new Command("add", """
            Makes a key and shows it, this once: only its hash is kept.

            millrace keys add laptop
            millrace keys add ci --scope chat --budget 200000
            """) { name, scope, budget, data, json };
        command.SetAction(async (result, cancel) =>
        {
            var scopes = result.GetRequiredValue(scope).SelectMany(text => text.Split(',', StringSplitOptions.TrimEntries)).Distinct();
            var tokens = result.GetValue(budget) is { } text ? Amounts.Count("--budget", text) : (long?)null;
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            var wanted = new NewApiKey(result.GetRequiredValue(name), [.. scopes], tokens);
            var key = await client.AddApiKeyAsync(wanted, cancel);
            if (result.GetValue(json))
                screen.Result(DataFolder.ToJson(new { wanted.Name, Key = key, wanted.Scopes, wanted.TokensPerDay }));
            else screen.Result(key);
            screen.Note("keep it: it is not shown again");
            return 0;
        });
        return command;
    }

    static Command CreateList(Screen screen, CliEnvironment environment)
    {
        var (data, json) = (DataFolder.Option(environment), DataFolder.JsonOption());
        var command = new Command("list", "Lists the keys by name, and what they used today.") { data, json };
        command.SetAction(async (result, cancel) =>
        {
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            var keys = await client.ApiKeysAsync(cancel);
            if (result.GetValue(json)) screen.Result(DataFolder.ToJson(keys));
            else screen.Table(Heads, keys.Select(Row));
            return 0;
        });
        return command;
    }

    static string[] Row(ApiKeySummary key) =>
    [
        key.Name,
        string.Join(',', key.Scopes),
        key.TokensPerDay?.ToString("N0", CultureInfo.InvariantCulture) ?? "no limit",
        key.UsedToday.ToString("N0", CultureInfo.InvariantCulture),
        Words.At(key.Created),
    ];

    static Command CreateRevoke(Screen screen, CliEnvironment environment)
    {
        var (name, data) = (Name(), DataFolder.Option(environment));
        var command = new Command("revoke", "Revokes a key at once.") { name, data };
        command.SetAction(async (result, cancel) =>
        {
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            await client.RevokeApiKeyAsync(result.GetRequiredValue(name), cancel);
            screen.Result($"{result.GetValue(name)} is revoked");
            return 0;
        });
        return command;
    }

    static Argument<string> Name() => new("name") { Description = "The key's name." };
}
