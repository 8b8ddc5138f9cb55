using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary>Reads the body of <c>/v1/chat/completions</c>.</summary>
static class ChatBody
{
    const int MessagesMax = 4096;
    const int PartsMax = 4096;
    const int CallsMax = 128;
    const int LogprobsMax = 20;

    static readonly string[] Roles = ["system", "developer", "user", "assistant", "tool", "function"];

    public static ChatJob Read(JsonBody body, string modelPath)
    {
        var tools = ToolFields.Read(body, isFlat: false);
        // The newer name counts where both are there.
        var tokens = body.Integer("max_completion_tokens", 1, int.MaxValue) ?? body.Integer("max_tokens", 1, int.MaxValue) ?? -1;
        return new(modelPath, Turns(body), (int)tokens, SamplingFields.Read(body), SamplingFields.Stops(body))
        {
            Tools = tools,
            ToolChoice = ToolFields.Choice(body, tools, isFlat: false),
            Format = SamplingFields.Format(body, body.Object("response_format"), isFlat: false),
            Logprobs = Logprobs(body),
            TemplateVariables = body.Object("chat_template_kwargs")?.Json.GetRawText(),
        };
    }

    static int? Logprobs(JsonBody body)
    {
        var top = body.Integer("top_logprobs", 0, LogprobsMax);
        if (body.Flag("logprobs")) return (int)(top ?? 0);
        return top is null ? null : throw body.Wrong("top_logprobs", "goes with 'logprobs': true");
    }

    static ImmutableArray<ChatTurn> Turns(JsonBody body)
    {
        var messages = body.Objects("messages", MessagesMax);
        return messages.Length > 0 ? [.. messages.Select(Turn)] : throw body.Wrong("messages", "is missing or empty");
    }

    static ChatTurn Turn(JsonBody message)
    {
        var role = message.RequiredText("role");
        if (!Roles.Contains(role)) throw message.Wrong("role", $"is none of {string.Join(", ", Roles)}");
        var calls = message.Objects("tool_calls", CallsMax).Select(Call).ToImmutableArray();
        var content = Content(message, "content", "text") ?? (calls.IsEmpty && role != "assistant"
            ? throw message.Wrong("content", "is missing") : "");
        // Templates know the older names.
        return new(role switch { "developer" => "system", "function" => "tool", _ => role }, content)
        {
            Name = message.Text("name"),
            ToolCalls = calls,
            ToolCallId = message.Text("tool_call_id"),
        };
    }

    static ToolCall Call(JsonBody call)
    {
        var function = call.Object("function") ?? throw call.Wrong("function", "is missing");
        return new(call.RequiredText("id"), function.RequiredText("name"), Arguments(function));
    }

    /// <summary>The arguments of a call that was made: a JSON object as a string.</summary>
    public static string Arguments(JsonBody function)
    {
        var arguments = function.Text("arguments") is { Length: > 0 } text ? text : "{}";
        try
        {
            using var document = JsonDocument.Parse(arguments);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return arguments;
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw function.Wrong("arguments", "is not a JSON object as a string");
    }

    /// <summary>A string, or parts that are text; null where it is missing.</summary>
    public static string? Content(JsonBody holder, string name, params string[] types)
    {
        if (holder.Find(name) is not { ValueKind: JsonValueKind.Array }) return holder.Text(name);
        var text = new StringBuilder();
        foreach (var part in holder.Objects(name, PartsMax))
        {
            var type = part.RequiredText("type");
            if (!types.Contains(type)) throw part.Wrong("type", $"is '{type}': only text is taken", "unsupported_content");
            text.Append(part.RequiredText("text"));
        }

        return text.ToString();
    }
}
