using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Server.ModelApi;

/// <summary>Tools of a request, and which of them the model may or must call.</summary>
static class ToolFields
{
    const int ToolsMax = 128;

    static readonly string[] Choices = ["auto", "none", "required"];

    /// <param name="body">The request.</param>
    /// <param name="isFlat">As /v1/responses writes them: name and parameters beside the type.</param>
    public static ImmutableArray<string> Read(JsonBody body, bool isFlat)
    {
        if (body.Find("functions") is not null) throw body.Wrong("functions", "is gone from the API: write 'tools'");
        return [.. body.Objects("tools", ToolsMax).Select(tool => Tool(tool, isFlat))];
    }

    static string Tool(JsonBody tool, bool isFlat)
    {
        if (tool.RequiredText("type") != "function") throw tool.Wrong("type", "is not 'function': no other tools are here");
        var function = isFlat ? tool : tool.Object("function") ?? throw tool.Wrong("function", "is missing");
        var described = new JsonObject { ["name"] = Name(function) };
        if (function.Text("description") is { } description) described["description"] = description;
        described["parameters"] = function.Object("parameters") is { } schema ? JsonObject.Create(schema.Json)
            : new JsonObject { ["type"] = "object", ["properties"] = new JsonObject() };
        return new JsonObject { ["type"] = "function", ["function"] = described }.ToJsonString();
    }

    static string Name(JsonBody function)
    {
        var name = function.RequiredText("name");
        return name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-') ? name
            : throw function.Wrong("name", "is not 1 to 64 letters, digits, '_' and '-'");
    }

    /// <summary>How many tools one answer may call; only an explicit false asks for one.</summary>
    public static int CallsMax(JsonBody body) =>
        body.Find("parallel_tool_calls") is not null && !body.Flag("parallel_tool_calls") ? 1 : int.MaxValue;

    /// <summary><c>auto</c>, <c>none</c>, <c>required</c>, or a tool's name.</summary>
    public static string Choice(JsonBody body, ImmutableArray<string> tools, bool isFlat)
    {
        if (body.Find("tool_choice") is not { } choice) return "auto";
        if (choice.ValueKind == JsonValueKind.String)
        {
            var word = body.RequiredText("tool_choice");
            if (!Choices.Contains(word)) throw body.Wrong("tool_choice", "is none of auto, none, required and a function");
            return word != "required" || tools.Length > 0 ? word : throw body.Wrong("tool_choice", "is 'required' and there are no tools");
        }

        var wanted = body.Object("tool_choice")!;
        var function = isFlat ? wanted : wanted.Object("function") ?? throw wanted.Wrong("function", "is missing");
        var name = function.RequiredText("name");
        return tools.Any(tool => (string?)JsonNode.Parse(tool)!["function"]!["name"] == name) ? name
            : throw function.Wrong("name", $"names no tool of the request: '{name}'");
    }
}
