using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Millrace.Inference.Grammars;
using Millrace.Inference.Native;

namespace Millrace.Inference.Worker;

/// <summary>Turns a job into tokens to be read and a grammar to be kept.</summary>
sealed class AnswerPlanner(LlamaModel model)
{
    const int CallsMax = 8;

    readonly ModelTemplate _template = new(model);
    (bool KnowsTools, CallSyntax Calls)? _tools;

    /// <exception cref="InferenceException">The job cannot be done with this model.</exception>
    public AnswerPlan Plan(ChatJob job) => HasTools(job)
        ? Calling(job, Prompt(job), Tools.Calls) : new(Prompt(job), Grammar(job.Format), null);

    /// <summary>The tokens to be read.</summary>
    /// <exception cref="InferenceException">The model's template refuses the job.</exception>
    public int[] Prompt(ChatJob job)
    {
        if (job.Prompt is { } text) return model.Tokenize(text);
        if (!HasTools(job)) return _template.Tokenize(_template.Render(job with { Tools = [] }));
        // A template that leaves tools out gets them as text.
        return _template.Tokenize(_template.Render(Tools.KnowsTools ? job : ToolText.InTurns(job)));
    }

    static bool HasTools(ChatJob job) => job.Prompt is null && !job.Tools.IsEmpty && job.ToolChoice != "none";

    // What the template makes of tools is its own: no job's variables are asked for it.
    (bool KnowsTools, CallSyntax Calls) Tools => _tools ??=
        CallSyntax.KnowsTools(_template) ? (true, CallSyntax.Probe(_template) ?? CallSyntax.Ours) : (false, CallSyntax.Ours);

    static GrammarRules? Grammar(AnswerFormat format) => format.Kind switch
    {
        AnswerKind.Text => null,
        AnswerKind.Grammar => new(format.Definition ?? ""),
        AnswerKind.JsonObject => new(SchemaGrammar.AnyObject),
        _ => new(SchemaGrammar.Of(format.Definition ?? "")),
    };

    static AnswerPlan Calling(ChatJob job, int[] prompt, CallSyntax syntax)
    {
        var grammar = new GrammarText();
        var call = Call(grammar, job, syntax);
        if (job.ToolChoice != "auto") return new(prompt, new(grammar.WithRoot(call)), syntax) { IsCall = true };
        var calls = $"{call} ({grammar.Rule("[ \\n]{0,2}")} {call}){{0,{CallsMax - 1}}}";
        switch (job.Format.Kind)
        {
            case AnswerKind.Text:
                var trigger = $"({Regex.Escape(syntax.Mark)})";
                return new(prompt, new(grammar.WithRoot(calls)) { Triggers = [trigger] }, syntax);
            case AnswerKind.Grammar:
                throw new InferenceException("invalid", "a grammar and tools that may be called exclude each other");
            default:
                var schema = job.Format.Kind == AnswerKind.JsonObject ? "{\"type\":\"object\"}" : job.Format.Definition ?? "";
                var body = SchemaGrammar.Body(grammar, SchemaGrammar.Parse(schema, "the schema"), "#");
                return new(prompt, new(grammar.WithRoot($"{body} | {calls}")), syntax);
        }
    }

    static string Call(GrammarText grammar, ChatJob job, CallSyntax syntax)
    {
        var wanted = job.ToolChoice is "auto" or "required" ? null : job.ToolChoice;
        var bodies = new List<string>();
        foreach (var tool in job.Tools)
        {
            var function = ToolText.Function(tool);
            var name = function.GetProperty("name").GetString()!;
            if (wanted is not null && wanted != name) continue;
            var hasSchema = function.TryGetProperty("parameters", out var schema);
            var parameters = hasSchema ? schema.GetRawText() : "{\"type\":\"object\"}";
            var arguments = SchemaGrammar.Body(grammar, SchemaGrammar.Parse(parameters, name), $"{name}#");
            var named = Member(syntax.NameKey, GrammarText.Literal((JsonNode)name));
            var body = $"{named} \",\" \" \"? {Member(syntax.ArgumentsKey, arguments)}";
            bodies.Add(grammar.Rule($"\"{{\" {body} \"}}\""));
        }

        if (bodies.Count == 0) throw new InferenceException("invalid", $"there is no tool {wanted}");
        var blank = grammar.Rule("[ \\n]{0,2}");
        var (before, after) = (syntax.Before.Trim(), syntax.After.Trim());
        var parts = new List<string>();
        if (before.Length > 0) parts.AddRange([GrammarText.Literal(before), blank]);
        parts.Add(grammar.Any(bodies));
        if (after.Length > 0) parts.AddRange([blank, GrammarText.Literal(after)]);
        return grammar.Rule(string.Join(' ', parts));
    }

    static string Member(string key, string value) => $"{GrammarText.Literal((JsonNode)key)} \":\" \" \"? {value}";
}

/// <summary>Tools as text, for models whose templates know of none.</summary>
static class ToolText
{
    /// <summary>A tool's function.</summary>
    /// <exception cref="InferenceException">The tool has none with a name.</exception>
    public static JsonElement Function(string tool)
    {
        var json = ModelTemplate.Object(tool, "a tool");
        if (json.TryGetProperty("function", out var function) && function.ValueKind == JsonValueKind.Object
            && function.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String)
        {
            return function;
        }

        throw new InferenceException("invalid", "a tool must have a function with a name");
    }

    public static string Name(string tool) => Function(tool).GetProperty("name").GetString()!;

    /// <summary>The conversation with the tools in its system turn, and calls and answers of tools as plain turns.</summary>
    public static ChatJob InTurns(ChatJob job)
    {
        var tools = string.Join('\n', job.Tools.Select(static tool => Function(tool).GetRawText()));
        var words = $"You can call these tools:\n{tools}\n"
            + "To call one, answer with nothing but\n<tool_call>\n{\"name\": the tool's name, \"arguments\": its arguments}\n</tool_call>";
        var turns = job.Turns.Select(Plain).ToList();
        if (turns is [{ Role: "system" } system, ..]) turns[0] = system with { Content = $"{system.Content}\n\n{words}" };
        else turns.Insert(0, new("system", words));
        return job with { Tools = [], Turns = [.. turns] };
    }

    static ChatTurn Plain(ChatTurn turn)
    {
        if (turn.Role == "tool") return new("user", $"<tool_response>\n{turn.Content}\n</tool_response>");
        if (turn.ToolCalls.IsEmpty) return turn;
        var calls = turn.ToolCalls.Select(static call =>
            $"<tool_call>\n{{\"name\": {JsonSerializer.Serialize(call.Name)}, \"arguments\": {call.Arguments}}}\n</tool_call>");
        return turn with { Content = string.Join('\n', calls.Prepend(turn.Content).Where(static text => text.Length > 0)), ToolCalls = [] };
    }
}
