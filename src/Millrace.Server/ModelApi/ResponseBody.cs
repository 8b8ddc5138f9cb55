using System.Collections.Immutable;
using System.Text.Json;
using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary>Reads the body of <c>/v1/responses</c>: the part of it that needs no state on the server.</summary>
static class ResponseBody
{
    const int ItemsMax = 4096;

    static readonly string[] Stateful = ["previous_response_id", "conversation", "prompt", "background"];
    static readonly string[] TextTypes = ["input_text", "output_text", "text"];
    static readonly string[] Roles = ["system", "developer", "user", "assistant"];

    public static ChatJob Read(JsonBody body, string modelPath)
    {
        foreach (var name in Stateful)
        {
            if (body.Find(name) is { ValueKind: not JsonValueKind.False })
                throw body.Wrong(name, "is not supported: nothing is kept between requests; send the whole conversation as 'input'");
        }

        var tools = ToolFields.Read(body, isFlat: true);
        return new(
            modelPath, Turns(body), (int)(body.Integer("max_output_tokens", 1, int.MaxValue) ?? -1), SamplingFields.Read(body),
            SamplingFields.Stops(body))
        {
            Tools = tools,
            ToolChoice = ToolFields.Choice(body, tools, isFlat: true),
            Format = SamplingFields.Format(body, body.Object("text")?.Object("format"), isFlat: true),
        };
    }

    static ImmutableArray<ChatTurn> Turns(JsonBody body)
    {
        var turns = new List<ChatTurn>();
        if (body.Text("instructions") is { Length: > 0 } instructions) turns.Add(new("system", instructions));
        if (body.Find("input") is not { ValueKind: JsonValueKind.Array }) turns.Add(new("user", body.RequiredText("input")));
        else foreach (var item in body.Objects("input", ItemsMax)) Add(turns, item);
        return turns.Count > 0 ? [.. turns] : throw body.Wrong("input", "is empty");
    }

    static void Add(List<ChatTurn> turns, JsonBody item)
    {
        switch (item.Text("type") ?? "message")
        {
            case "message":
                var role = item.RequiredText("role");
                if (!Roles.Contains(role)) throw item.Wrong("role", $"is none of {string.Join(", ", Roles)}");
                turns.Add(new(role == "developer" ? "system" : role,
                    ChatBody.Content(item, "content", TextTypes) ?? throw item.Wrong("content", "is missing")));
                break;
            case "function_call":
                var call = new ToolCall(item.RequiredText("call_id"), item.RequiredText("name"), ChatBody.Arguments(item));
                // Calls of one turn come as items of their own.
                if (turns is [.., { Role: "assistant" } last]) turns[^1] = last with { ToolCalls = last.ToolCalls.Add(call) };
                else turns.Add(new("assistant", "") { ToolCalls = [call] });
                break;
            case "function_call_output":
                turns.Add(new("tool", ChatBody.Content(item, "output", TextTypes) ?? throw item.Wrong("output", "is missing"))
                {
                    ToolCallId = item.RequiredText("call_id"),
                });
                break;
            case "reasoning":
                // What a model thought is not for the next turn.
                break;
            default:
                throw item.Wrong("type", "is none of message, function_call and function_call_output", "unsupported_content");
        }
    }
}
