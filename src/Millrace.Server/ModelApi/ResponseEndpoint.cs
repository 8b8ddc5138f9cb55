using System.Text;
using System.Text.Json.Nodes;
using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary><c>POST /v1/responses</c>: the common part, without state on the server.</summary>
static class ResponseEndpoint
{
    public static async Task AnswerAsync(ApiCall call)
    {
        var body = await JsonBody.ReadAsync(call.Context);
        var model = call.FindModel(body);
        var job = ResponseBody.Read(body, model.Path);
        var response = new ResponseJson(body, job, ApiCall.NewId("resp_"), call.Now, model.Name, ToolFields.CallsMax(body));
        var generation = Generation.Of(model.Name, job, 1) with { SchemaField = "text.format.schema" };
        if (body.Flag("stream")) await StreamAsync(call, generation, response);
        else await WholeAsync(call, generation, response);
    }

    static async Task WholeAsync(ApiCall call, Generation generation, ResponseJson response)
    {
        var (text, _, end) = (await call.GatherAsync(generation)).Answers[0];
        var output = new JsonArray();
        var calls = response.Calls(end);
        if (text.Length > 0 || calls.Length == 0)
            output.Add(ResponseJson.Message(ApiCall.NewId("msg_"), text, ResponseJson.StatusOf(end)));
        foreach (var one in calls) output.Add(ResponseJson.Call(ApiCall.NewId("fc_"), one, "completed"));
        await call.WriteAsync(response.Ended(output, end));
    }

    static async Task StreamAsync(ApiCall call, Generation generation, ResponseJson response)
    {
        var events = new ResponseEvents(new(call.Context));
        var text = new StringBuilder();
        string? message = null;
        ChatEnd? end = null;
        try
        {
            await foreach (var (_, part) in call.GenerateAsync(generation))
            {
                await events.BeginAsync(response);
                if (part.Text.Length > 0)
                {
                    if (message is null) await events.BeginMessageAsync(message = ApiCall.NewId("msg_"));
                    text.Append(part.Text);
                    await events.AddTextAsync(message, part.Text);
                }

                end = part.End;
            }
        }
        catch (ApiException e) when (call.Context.Response.HasStarted)
        {
            await events.SendAsync("response.failed", new() { ["response"] = response.Failed(e) });
            return;
        }

        var output = new JsonArray();
        var calls = response.Calls(end!);
        if (message is null && calls.Length == 0) await events.BeginMessageAsync(message = ApiCall.NewId("msg_"));
        if (message is not null)
            output.Add((await events.EndMessageAsync(message, text.ToString(), ResponseJson.StatusOf(end!))).DeepClone());
        foreach (var one in calls) output.Add((await events.SendCallAsync(ApiCall.NewId("fc_"), one)).DeepClone());
        var ended = response.Ended(output, end!);
        await events.SendAsync($"response.{ended["status"]}", new() { ["response"] = ended });
    }
}
