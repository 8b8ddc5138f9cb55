using System.Text.Json;
using Millrace.Inference.Native;
using Millrace.Inference.Templates;
using Millrace.Inference.Templates.Formatting;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Worker;

/// <summary>A model file's own chat template: turns in, the prompt's text out.</summary>
sealed class ModelTemplate
{
    readonly LlamaModel _model;

    // Parsed when it is first needed: a model without chat is loaded whatever its template is.
    ChatTemplate? _template;

    public ModelTemplate(LlamaModel model) => _model = model;

    /// <summary>The prompt of a conversation.</summary>
    /// <exception cref="InferenceException">The file has no template, or one that refuses the conversation.</exception>
    public string Render(ChatJob job, bool addsGenerationPrompt = true)
    {
        if (job.Template is { } name && NamedFormats.Find(name) is { } format) return Render(format, name, job);
        if (_model.Template is not { } text)
            throw new InferenceException("invalid", "the model file has no chat template; name the format it was trained with");
        try
        {
            _template ??= ChatTemplate.Parse(text);
            var variables = SpecialTokens();
            if (job.Template is { } alias && NamedFormats.Switch(alias) is { } off) variables.Add(new(off.Name, off.Value));
            if (job.TemplateVariables is { } more)
            {
                foreach (var property in Object(more, "template variables").EnumerateObject())
                    variables.Add(new(property.Name, JsonText.Read(property.Value)));
            }

            object tools = job.Tools.IsEmpty ? None.Value
                : new PyList([.. job.Tools.Select(tool => JsonText.Read(Object(tool, "a tool")))]);
            var conversation = new Conversation(new PyList([.. job.Turns.Select(Message)]), addsGenerationPrompt)
            {
                Variables = variables,
                Tools = tools,
            };
            return conversation.Render(_template, TimeProvider.System);
        }
        catch (TemplateException e)
        {
            throw new InferenceException("invalid", $"the model's chat template refuses the conversation: {e.Message}");
        }
    }

    string Render(TurnFormat format, string name, ChatJob job)
    {
        if (!job.Tools.IsEmpty) throw new InferenceException("invalid", $"the template {name} knows no tools; the model file's own may");
        return format.Render(job.Turns, _model.BeginToken ?? "", _model.EndToken ?? "");
    }

    static PyDict Message(ChatTurn turn)
    {
        var message = new PyDict { ["role"] = turn.Role, ["content"] = turn.Content };
        if (turn.Name is { } name) message["name"] = name;
        if (turn.ToolCallId is { } id) message["tool_call_id"] = id;
        if (!turn.ToolCalls.IsEmpty) message["tool_calls"] = new PyList([.. turn.ToolCalls.Select(Call)]);
        return message;
    }

    // Templates are written for arguments as a dict, as transformers hands them over.
    static PyDict Call(ToolCall call) => new()
    {
        ["id"] = call.Id,
        ["type"] = "function",
        ["function"] = new PyDict
        {
            ["name"] = call.Name,
            ["arguments"] = JsonText.Read(Object(call.Arguments.Length == 0 ? "{}" : call.Arguments, "a call's arguments")),
        },
    };

    /// <summary>JSON that must be an object.</summary>
    /// <exception cref="InferenceException">It is none.</exception>
    public static JsonElement Object(string json, string what)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document.RootElement.Clone();
            throw new InferenceException("invalid", $"{what} must be a JSON object");
        }
        catch (JsonException e)
        {
            throw new InferenceException("invalid", $"{what} must be a JSON object: {e.Message}");
        }
    }

    List<KeyValuePair<string, object>> SpecialTokens()
    {
        var variables = new List<KeyValuePair<string, object>>();
        if (_model.BeginToken is { } bos) variables.Add(new("bos_token", bos));
        if (_model.EndToken is { } eos) variables.Add(new("eos_token", eos));
        return variables;
    }

    /// <summary>The prompt's tokens. Template and vocabulary that both begin it with the same token mean it once.</summary>
    public int[] Tokenize(string prompt)
    {
        var isDouble = _model.AddsBeginToken && _model.BeginToken is { Length: > 0 } bos
            && prompt.StartsWith(bos, StringComparison.Ordinal);
        return _model.Tokenize(isDouble ? prompt[_model.BeginToken!.Length..] : prompt);
    }
}
