using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Manifests;
using Millrace.Flows.Triggers;

namespace Millrace.Flows.Tests.Triggers;

public sealed class TriggerTests
{
    const string Body = """
        {
          "action": "opened", "number": 7, "ratio": 1.5, "draft": false, "none": null, "odd": "12",
          "repository": {"full_name": "a/b"}, "labels": ["x"], "sender": {"type": "User"},
          "comment": {"body": "/review please", "author_association": "MEMBER"}
        }
        """;

    static readonly JsonObject Settings = new()
    {
        ["phrase"] = "/review",
        ["who"] = new JsonArray("OWNER", "MEMBER"),
        ["nobody"] = new JsonArray(),
        ["empty"] = "",
        ["n"] = 7,
    };

    static Trigger Read(string where, string? partition = null)
    {
        var yaml = $"millrace: 1\nname: a\nmodule: a.wasm\ntriggers: [{{on: http, where: {where}"
            + (partition is null ? "" : $", partition: \"{partition}\"") + "}]";
        return Trigger.From(FlowManifestReader.Read(Encoding.UTF8.GetBytes(yaml)).Triggers[0], Settings);
    }

    static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;

    [Theory]
    [InlineData("{}", true)]
    [InlineData("{action: opened}", true)]
    [InlineData("{action: closed}", false)]
    [InlineData("{action: Opened}", false)]
    [InlineData("{action: [closed, opened]}", true)]
    [InlineData("{action: []}", false)]
    [InlineData("{action: opened, number: 8}", false)]
    [InlineData("{number: 7}", true)]
    [InlineData("{number: '7'}", false)]
    [InlineData("{odd: 12}", false)]
    [InlineData("{odd: '12'}", true)]
    [InlineData("{draft: false}", true)]
    [InlineData("{draft: 'false'}", false)]
    [InlineData("{none: null}", true)]
    [InlineData("{none: {exists: true}}", false)]
    [InlineData("{none: {exists: false}}", true)]
    [InlineData("{repository.full_name: a/b}", true)]
    [InlineData("{repository: {exists: true}}", true)]
    [InlineData("{repository: a/b}", false)]
    [InlineData("{labels: x}", false)]
    [InlineData("{no.such.path: {exists: false}}", true)]
    [InlineData("{no.such.path: {exists: true}}", false)]
    [InlineData("{action.deeper: {exists: false}}", true)]
    [InlineData("{sender.type: {not: Bot}}", true)]
    [InlineData("{sender.type: {not: [Bot, User]}}", false)]
    [InlineData("{sender.none: {not: Bot}}", false)]
    [InlineData("{comment.body: {starts: '{settings.phrase}'}}", true)]
    [InlineData("{comment.body: {starts: '{settings.phrase} now'}}", false)]
    [InlineData("{comment.body: {starts: '{settings.phrase}', not: {starts: /review please}}}", false)]
    [InlineData("{number: {starts: '7'}}", false)]
    [InlineData("{comment.author_association: '{settings.who}'}", true)]
    [InlineData("{comment.author_association: '{settings.nobody}'}", false)]
    [InlineData("{comment.author_association: {not: '{settings.who}'}}", false)]
    [InlineData("{number: '{settings.n}'}", true)]
    [InlineData("{action: '{{opened}}'}", false)]
    public void Where_is_a_filter_over_the_body(string where, bool expected) =>
        Assert.Equal(expected, Read(where).Where(Parse(Body)));

    [Theory]
    [InlineData("{action: '{settings.no}'}", "there is no setting 'no'")]
    [InlineData("{action: 'x{settings.who}'}", "the setting 'who' is a list and cannot stand inside a text")]
    [InlineData("{action: '{repository.full_name}'}", "a text in 'where' may name settings only")]
    [InlineData("{action: {begins: x}}", "unknown key 'begins' in a condition; known are starts, exists, not")]
    [InlineData("{action: {}}", "a condition is empty")]
    [InlineData("{action: {not: {exists: true}}}", "unknown key 'exists'")]
    [InlineData("{action: {starts: '{settings.empty}'}}", "'starts' takes texts that are not empty")]
    [InlineData("{action: {starts: 3}}", "'starts' takes texts that are not empty")]
    [InlineData("{a..b: x}", "'a..b' is no path")]
    [InlineData("{action: '{'}", "'{' without '}'")]
    [InlineData("{action: '}'}", "'}' without '{'")]
    [InlineData("{action: {exists: maybe}}", "'exists' is true or false, not 'maybe'")]
    public void Where_is_checked_when_it_is_read(string where, string expected)
    {
        var fault = Assert.Throws<ManifestException>(() => Read(where));

        Assert.StartsWith(expected, fault.Problem, StringComparison.Ordinal);
        Assert.Equal(4, fault.Line);
    }

    [Fact]
    public void A_missing_path_matches_nothing_but_its_absence()
    {
        var random = new Random(20260704);
        string[] conditions = ["x", "[x, 1, null]", "{not: x}", "{not: [x]}", "{starts: x}", "{exists: true}", "{not: {starts: x}}"];
        for (var i = 0; i < 300; i++)
        {
            var names = Enumerable.Range(0, random.Next(1, 4)).Select(_ => "" + (char)random.Next('a', 'e')).ToArray();
            var body = Without(names, random);
            var path = string.Join('.', names);

            foreach (var condition in conditions) Assert.False(Read($"{{{path}: {condition}}}").Where(body));
            Assert.True(Read($"{{{path}: {{exists: false}}}}").Where(body));
        }
    }

    /// <summary>A random body in which the path breaks off at a random step.</summary>
    static JsonElement Without(string[] names, Random random)
    {
        var root = new JsonObject { ["other"] = 1 };
        var here = root;
        var stop = random.Next(names.Length);
        for (var i = 0; i < stop; i++)
        {
            var next = new JsonObject();
            here[names[i]] = next;
            here = next;
        }
        if (stop + 1 < names.Length && random.Next(2) == 0) here[names[stop]] = new JsonArray(1, "x");
        return Parse(root.ToJsonString());
    }

    [Fact]
    public void A_body_that_is_no_JSON_has_no_paths()
    {
        Assert.True(Read("{}").Where(null));
        Assert.True(Read("{a: {exists: false}}").Where(null));
        Assert.False(Read("{a: {not: x}}").Where(null));
    }

    [Theory]
    [InlineData("{repository.full_name}#{number}", "a/b#7")]
    [InlineData("all", "all")]
    [InlineData("{{{draft}}}", "{false}")]
    [InlineData("{settings.phrase} {ratio}", "/review 1.5")]
    public void A_partition_is_named_by_the_body(string template, string expected)
    {
        var trigger = Read("{}", template);

        Assert.True(trigger.Where(Parse(Body)));
        Assert.Equal(expected, trigger.Partition(Parse(Body)));
    }

    [Theory]
    [InlineData("{no.path}")]
    [InlineData("{none}")]
    [InlineData("{labels}")]
    [InlineData("{repository}")]
    public void An_event_without_the_name_of_its_partition_does_not_match(string template) =>
        Assert.False(Read("{}", template).Where(Parse(Body)));
}
