using System.CommandLine;
using Millrace.Flows;
using Millrace.Server;

namespace Millrace.Cli;

/// <summary>
/// <c>millrace connections add</c>. A secret is never an argument: others can read a process's arguments.
/// </summary>
static class ConnectionsAddCommand
{
    public static Command Create(Screen screen, CliEnvironment environment)
    {
        var name = new Argument<string>("name") { Description = "How flows name it; code-review asks for `gh`." };
        var integration = new Option<string>("--integration")
        {
            Description = "Which integration it belongs to: github, openai, or one of yours.",
            Required = true,
        };
        var baseUrl = new Option<string?>("--base-url")
        {
            Description = "Where requests begin, for another server than the public one.",
            HelpName = "URL",
        };
        var host = new Option<string[]>("--host") { Description = "A host that requests may go to; may be repeated." };
        var allowsPrivate = new Option<bool>("--allow-private")
        {
            Description = "Also addresses of this machine and of private networks.",
        };
        var set = new Option<string[]>("--set")
        {
            Description = "A setting of the integration; may be repeated.",
            HelpName = "KEY=VALUE",
        };
        var token = new SecretOptions("--token", "the token that requests carry");
        var webhook = new SecretOptions("--webhook-secret", "the secret that signs webhooks");
        var data = DataFolder.Option(environment);
        var command = new Command("add", """
            Adds a connection, or replaces the one of that name. Secrets come by stdin or a named environment variable;
            at a terminal they are asked for. With both from stdin, the token is the first line.

            millrace connections add gh --integration github --token-env GITHUB_TOKEN \
              --webhook-secret-stdin < secret.txt
            millrace connections add ai --integration openai --base-url http://127.0.0.1:8080/v1 \
              --allow-private --set models=my-model
            """)
        {
            name, integration, baseUrl, host, allowsPrivate, set,
            token.Stdin, token.Variable, webhook.Stdin, webhook.Variable, data,
        };
        command.SetAction(async (result, cancel) =>
        {
            var settings = DataFolder.Settings(result.GetValue(set) ?? []);
            var asks = screen.IsInteractive && !token.IsGiven(result) && !webhook.IsGiven(result);
            var secrets = asks ? default : (
                Token: token.Read(result, screen, environment), Webhook: webhook.Read(result, screen, environment));
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            var of = result.GetRequiredValue(integration);
            await ShippedPackages.EnsureAsync(client, of, screen, cancel);
            var integrations = await client.IntegrationsAsync(cancel);
            var hasWebhook = integrations.Any(known => known.Name == of && known.HasWebhook);
            if (asks) secrets = (Ask(screen, "token"), hasWebhook ? Ask(screen, "webhook secret") : null);
            var connection = new NewConnection(result.GetRequiredValue(name), of)
            {
                BaseUrl = result.GetValue(baseUrl),
                Hosts = [.. result.GetValue(host) ?? []],
                AllowsPrivate = result.GetValue(allowsPrivate),
                Settings = settings,
                Token = secrets.Token,
                WebhookSecret = secrets.Webhook,
            };
            await client.AddConnectionAsync(connection, cancel);
            await TellAsync(screen, client, connection, hasWebhook, cancel);
            return 0;
        });
        return command;
    }

    static string? Ask(Screen screen, string what) =>
        screen.AskHidden($"{what} (hidden; empty for none)") is { Length: > 0 } typed ? typed : null;

    static async Task TellAsync(
        Screen screen, ControlClient client, NewConnection connection, bool hasWebhook, CancellationToken cancel)
    {
        screen.Result($"added {connection.Name}");
        if (hasWebhook && connection.WebhookSecret is null)
            screen.Note("without a webhook secret no webhook is taken; add it again with --webhook-secret-stdin");
        if (hasWebhook && connection.WebhookSecret is not null)
        {
            var url = (await client.StatusAsync(cancel)).Url;
            var root = url.Length > 0 ? url : "http://YOUR-SERVER";
            var path = $"/hooks/{connection.Integration}/{connection.Name}";
            screen.Note($"webhooks go to {root}{path} (content type application/json)");
        }

        screen.Note($"next: millrace connections test {connection.Name}");
        if (connection.Settings.ContainsKey("models")) screen.Note("then: millrace models check --remote");
    }

    /// <summary>The two ways of one secret.</summary>
    sealed class SecretOptions(string name, string what)
    {
        public Option<bool> Stdin { get; } = new(name + "-stdin")
        {
            Description = $"Read {what} from a line of standard input.",
        };

        public Option<string?> Variable { get; } = new(name + "-env")
        {
            Description = $"Take {what} from this environment variable.",
            HelpName = "VARIABLE",
        };

        public bool IsGiven(ParseResult result) => result.GetValue(Stdin) || result.GetValue(Variable) is not null;

        public string? Read(ParseResult result, Screen screen, CliEnvironment environment)
        {
            if (result.GetValue(Stdin) && result.GetValue(Variable) is not null)
                throw new CommandException($"say either {name}-stdin or {name}-env");
            if (result.GetValue(Stdin))
            {
                return screen.ReadLine()?.Trim() is { Length: > 0 } line
                    ? line : throw new CommandException($"{name}-stdin: standard input holds no line for it");
            }

            if (result.GetValue(Variable) is not { } variable) return null;
            return environment.Find(variable) is { Length: > 0 } value
                ? value : throw new CommandException($"{name}-env {variable}: this environment variable is not set");
        }
    }
}
