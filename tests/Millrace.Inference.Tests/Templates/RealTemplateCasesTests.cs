using System.Text.Json;
using Millrace.Inference.Templates;
using Millrace.Inference.Templates.Formatting;
using Millrace.Inference.Templates.Values;
using Xunit.Abstractions;

namespace Millrace.Inference.Tests.Templates;

/// <summary>Published models' own templates over a hundred conversations, byte for byte.</summary>
public sealed class RealTemplateCasesTests(ITestOutputHelper output)
{
    public static TheoryData<string> Files =>
        [.. ConformanceFolder.FilesOf("chat-templates").Where(static file => file != "conversations.json")];

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public async Task Every_conversation_renders_as_the_reference_does(string file)
    {
        var cases = ConformanceFolder.Read(Path.Combine("chat-templates", file));
        var conversations = ConformanceFolder.Read(Path.Combine("chat-templates", "conversations.json")).GetProperty("conversations");
        var text = await RealTemplates.ReadAsync(cases.GetProperty("template").GetString()!, cases.GetProperty("sha256").GetString()!);
        var template = ChatTemplate.Parse(text);
        var byName = cases.GetProperty("cases").EnumerateArray().ToDictionary(static test => test.GetProperty("name").GetString()!);

        var faults = byName.Values.SelectMany(test => Faults(template, test, byName, conversations)).ToList();
        output.WriteLine($"{byName.Count} cases of {file}: {faults.Count} faults");
        foreach (var fault in faults.Take(20)) output.WriteLine(fault);

        Assert.Empty(faults);
    }

    static IEnumerable<string> Faults(
        ChatTemplate template, JsonElement test, Dictionary<string, JsonElement> cases, JsonElement conversations)
    {
        var inputs = conversations.GetProperty(test.GetProperty("conversation").GetString()!);
        var conversation = Conversation(inputs, test);
        var name = test.GetProperty("name").GetString();
        var gave = Outcome(() => conversation.Render(template, FixedClock.Cases));
        if (gave != Expected(test, cases)) yield return $"{name}: gave {gave}\n  instead of {Expected(test, cases)}";

        if (test.TryGetProperty("without_reasoning_alias", out var plain))
        {
            gave = Outcome(() => template.Render(Variables(conversation), FixedClock.Cases));
            if (gave != Expected(plain, cases)) yield return $"{name} without alias: gave {gave}\n  instead of {Expected(plain, cases)}";
        }

        if (test.TryGetProperty("with_null_keys_dropped", out var dropped))
        {
            var without = conversation with { Messages = new([.. conversation.Messages.Elements.Select(WithoutNulls)]) };
            gave = Outcome(() => without.Render(template, FixedClock.Cases));
            if (gave != Expected(dropped, cases)) yield return $"{name} without nulls: gave {gave}\n  instead of {Expected(dropped, cases)}";
        }
    }

    static Conversation Conversation(JsonElement inputs, JsonElement test)
    {
        var (kwargs, tools) = (inputs.GetProperty("kwargs"), inputs.GetProperty("tools"));
        if (test.TryGetProperty("override", out var changed))
        {
            if (changed.TryGetProperty("kwargs", out var otherKwargs)) kwargs = otherKwargs;
            if (changed.TryGetProperty("tools", out var otherTools)) tools = otherTools;
        }

        var variables = kwargs.EnumerateObject().Select(static property => KeyValuePair.Create(property.Name, JsonText.Read(property.Value)));
        if (inputs.GetProperty("special_tokens").GetBoolean())
            variables = variables.Concat([new("bos_token", "<BOS>"), new("eos_token", "<EOS>")]);
        return new((PyList)JsonText.Read(inputs.GetProperty("messages")), test.GetProperty("add_generation_prompt").GetBoolean())
        {
            Tools = JsonText.Read(tools),
            Documents = JsonText.Read(inputs.GetProperty("documents")),
            ContinuesLast = inputs.GetProperty("continue_final_message").GetBoolean(),
            Variables = [.. variables],
        };
    }

    static IEnumerable<KeyValuePair<string, object>> Variables(Conversation conversation) =>
    [
        .. conversation.Variables,
        new("messages", conversation.Messages),
        new("tools", conversation.Tools),
        new("documents", conversation.Documents),
        new("add_generation_prompt", conversation.AddsGenerationPrompt),
    ];

    static object WithoutNulls(object message)
    {
        var kept = new PyDict();
        foreach (var (key, value) in ((PyDict)message).Entries)
        {
            if (value is not None) kept[key] = value;
        }

        return kept;
    }

    static string Outcome(Func<string> render)
    {
        try
        {
            return render();
        }
        catch (TemplateException e)
        {
            return $"{e.Kind}: {e.Text}";
        }
    }

    static string Expected(JsonElement test, Dictionary<string, JsonElement> cases)
    {
        if (test.TryGetProperty("expected", out var text)) return text.GetString()!;
        if (test.TryGetProperty("error", out var error)) return $"{test.GetProperty("kind").GetString()}: {error.GetString()}";
        var whole = Expected(cases[test.GetProperty("expected_from").GetString()!], cases);
        var suffix = test.GetProperty("minus_suffix").GetString()!;
        Assert.EndsWith(suffix, whole, StringComparison.Ordinal);
        return whole[..^suffix.Length];
    }
}
