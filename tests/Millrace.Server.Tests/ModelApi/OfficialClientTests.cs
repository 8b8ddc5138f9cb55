using System.ClientModel;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Millrace.Cli.Tests.Realism;
using OpenAI;
using OpenAI.Chat;

namespace Millrace.Server.Tests.ModelApi;

/// <summary>The server as OpenAI's own clients see it.</summary>
public sealed class OfficialClientTests
{
    const string NpmVersion = "6.30.1";
    const string NpmHash = "sha512-5bkK9GoQMd8j4a0TeY95AIC7FtGP38HlfO+YvRq4TkEndHLI1iR8ct9wajmsAMw+G/QcPOZnqzhhsUT2GKUWkA==";

    [SkippableFact]
    public async Task The_client_of_NuGet_reads_answers_streams_and_errors()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync();
        var chat = Client(server).GetChatClient(ApiServer.Tiny);
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 8, Temperature = 0 };

        var whole = (await chat.CompleteChatAsync([new UserChatMessage("hello")], options)).Value;
        var (streamed, tokens, reason) = ("", 0, (ChatFinishReason?)null);
        await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage("hello")], options))
        {
            streamed += string.Concat(update.ContentUpdate.Select(part => part.Text));
            tokens = update.Usage?.TotalTokenCount ?? tokens;
            reason = update.FinishReason ?? reason;
        }

        var models = (await Client(server).GetOpenAIModelClient().GetModelsAsync()).Value;
        var missing = await Assert.ThrowsAsync<ClientResultException>(
            () => Client(server).GetChatClient("no-such-model").CompleteChatAsync([new UserChatMessage("hello")]));

        Assert.Equal(string.Concat(whole.Content.Select(part => part.Text)), streamed);
        Assert.Equal((whole.Usage.TotalTokenCount, whole.FinishReason), (tokens, reason!.Value));
        Assert.Contains(models, model => model.Id == ApiServer.Tiny);
        Assert.Equal(404, missing.Status);
        Assert.Contains("There is no model 'no-such-model'", missing.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_client_of_npm_reads_answers_streams_and_errors()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync();

        var found = await AskByNodeAsync(server, ApiServer.Tiny);

        Assert.Contains(ApiServer.Tiny, found["models"]!.AsArray().Select(name => (string?)name));
        Assert.Equal((string?)found["whole"], (string?)found["streamed"]);
        Assert.Equal((int)found["total"]!, (int)found["streamedTotal"]!);
        Assert.Equal((string?)found["response"], (string?)found["responseStreamed"]);
        Assert.Contains((string?)found["lastEvent"], new[] { "response.completed", "response.incomplete" });
        Assert.Equal(["NotFoundError", "404", "model_not_found"], found["error"]!.AsArray().Select(word => word!.ToString()));
    }

    [SkippableFact]
    public async Task The_client_of_NuGet_is_given_tool_calls_whole_and_streamed()
    {
        var model = ApiServer.Given("SmolLM2");
        await using var server = await ApiServer.StartAsync();
        var schema = BinaryData.FromString("""
            {"type":"object","properties":{"city":{"type":"string","maxLength":20}},"required":["city"],"additionalProperties":false}
            """);
        var options = new ChatCompletionOptions
        {
            Tools = { ChatTool.CreateFunctionTool("weather", "The weather of a city", schema) },
            ToolChoice = ChatToolChoice.CreateRequiredChoice(),
            Temperature = 0,
        };
        var chat = Client(server).GetChatClient(model);

        var whole = (await chat.CompleteChatAsync([new UserChatMessage("Weather in Paris?")], options)).Value;
        var (name, arguments) = ("", "");
        await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage("Weather in Paris?")], options))
        {
            foreach (var call in update.ToolCallUpdates)
            {
                name += call.FunctionName;
                arguments += call.FunctionArgumentsUpdate;
            }
        }

        Assert.Equal(ChatFinishReason.ToolCalls, whole.FinishReason);
        Assert.Equal(("weather", "weather"), (whole.ToolCalls[0].FunctionName, name));
        Assert.Equal(whole.ToolCalls[0].FunctionArguments.ToString(), arguments);
        Assert.NotNull(JsonNode.Parse(arguments)!["city"]);
    }

    [SkippableFact]
    public async Task The_client_of_npm_is_given_tool_calls_whole_and_streamed()
    {
        var model = ApiServer.Given("SmolLM2");
        await using var server = await ApiServer.StartAsync();

        var found = await AskByNodeAsync(server, model, "tools");

        Assert.Equal(("weather", "tool_calls"), ((string?)found["call"]!["name"], (string?)found["callReason"]));
        Assert.NotNull(JsonNode.Parse((string)found["call"]!["arguments"]!)!["city"]);
        Assert.Equal((string?)found["call"]!["arguments"], (string?)found["callStreamed"]!["arguments"]);
    }

    static OpenAIClient Client(ApiServer server) => new(
        new ApiKeyCredential(server.Http.DefaultRequestHeaders.Authorization!.Parameter!),
        new OpenAIClientOptions { Endpoint = new Uri(server.Host.Url + "/v1") });

    static async Task<JsonNode> AskByNodeAsync(ApiServer server, string model, params string[] more)
    {
        var folder = await NpmPackage.FetchAsync("openai", NpmVersion, NpmHash);
        var start = new ProcessStartInfo("node",
        [
            Path.Combine(AppContext.BaseDirectory, "ModelApi", "official.mjs"), Path.Combine(folder, "index.mjs"),
            server.Host.Url + "/v1", server.Http.DefaultRequestHeaders.Authorization!.Parameter!, model, .. more,
        ])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var node = Process.Start(start)!;
            using var patience = new CancellationTokenSource(ApiServer.Patience);
            try
            {
                var errors = node.StandardError.ReadToEndAsync(patience.Token);
                var text = await node.StandardOutput.ReadToEndAsync(patience.Token);
                await node.WaitForExitAsync(patience.Token);
                Assert.True(node.ExitCode == 0, await errors);
                return JsonNode.Parse(text)!;
            }
            finally
            {
                // It outlives neither the test nor its patience.
                node.Kill();
            }
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Skip.If(true, "node is not installed");
            throw;
        }
    }
}
