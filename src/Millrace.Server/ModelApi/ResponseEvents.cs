using System.Text.Json.Nodes;
using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary>The events of a streamed response, each with its number.</summary>
sealed class ResponseEvents(EventStream stream)
{
    int _sequence;
    int _items;

    public Task SendAsync(string type, JsonObject json)
    {
        json["type"] = type;
        json["sequence_number"] = _sequence++;
        return stream.SendAsync(json, type);
    }

    public async Task BeginAsync(ResponseJson response)
    {
        if (_sequence > 0) return;
        await SendAsync("response.created", new() { ["response"] = response.Begun() });
        await SendAsync("response.in_progress", new() { ["response"] = response.Begun() });
    }

    public async Task BeginMessageAsync(string id)
    {
        var message = ResponseJson.Message(id, "", "in_progress");
        message["content"] = new JsonArray();
        await SendItemAsync("added", message);
        await SendPartAsync("added", id, "");
    }

    public Task AddTextAsync(string id, string text) => SendTextAsync("delta", id, "delta", text);

    public async Task<JsonObject> EndMessageAsync(string id, string text, string status)
    {
        await SendTextAsync("done", id, "text", text);
        await SendPartAsync("done", id, text);
        var message = ResponseJson.Message(id, text, status);
        await SendItemAsync("done", message);
        _items++;
        return message;
    }

    public async Task<JsonObject> SendCallAsync(string id, ToolCall call)
    {
        await SendItemAsync("added", ResponseJson.Call(id, call with { Arguments = "" }, "in_progress"));
        await SendAsync("response.function_call_arguments.delta", Place(id, "delta", call.Arguments));
        var done = Place(id, "arguments", call.Arguments);
        done["name"] = call.Name;
        await SendAsync("response.function_call_arguments.done", done);
        var item = ResponseJson.Call(id, call, "completed");
        await SendItemAsync("done", item);
        _items++;
        return item;
    }

    Task SendItemAsync(string what, JsonObject item) => SendAsync(
        $"response.output_item.{what}", new() { ["output_index"] = _items, ["item"] = item });

    Task SendPartAsync(string what, string id, string text)
    {
        var json = Place(id, "part", ResponseJson.Text(text));
        json["content_index"] = 0;
        return SendAsync($"response.content_part.{what}", json);
    }

    Task SendTextAsync(string what, string id, string name, string text)
    {
        var json = Place(id, name, text);
        json["content_index"] = 0;
        json["logprobs"] = new JsonArray();
        return SendAsync($"response.output_text.{what}", json);
    }

    JsonObject Place(string id, string name, JsonNode value) => new() { ["item_id"] = id, ["output_index"] = _items, [name] = value };
}
