using System.Text;
using Millrace.Flows.Manifests;
using Millrace.Flows.Triggers;

namespace Millrace.Flows.Tests.Manifests;

public sealed class FlowManifestReaderTests
{
    const string Head = "millrace: 1\nname: a\nmodule: a.wasm\n";

    static FlowManifest Read(string yaml) => FlowManifestReader.Read(Encoding.UTF8.GetBytes(yaml));

    [Fact]
    public void Reads_the_manifest_of_the_design_page()
    {
        var manifest = Read("""
            # flow.yaml
            millrace: 1
            name: code-review
            module: code_review.wasm
            triggers:
              - {on: github.pull_request, connection: gh, where: {action: [opened, reopened, ready_for_review, synchronize]},
                 partition: "{repository.full_name}#{pull_request.number}", concurrency: cancel-running}
              - {on: github.issue_comment, connection: gh, where: {action: [created], issue.pull_request: {exists: true},
                   comment.body: {starts: "{settings.trigger_phrase}"}, comment.author_association: "{settings.who_may_ask}", sender.type: {not: Bot}},
                 partition: "{repository.full_name}#{issue.number}", concurrency: cancel-running}
              - {on: http}
            grants:
              github: {connection: gh, operations: [get_pull_request, create_comment]}
              llm: {models: ["*"]}
              http: {hosts: ["api.example.com"], methods: [GET]}
            settings:
              trigger_phrase: {type: string, default: "/review", help: "comment that asks for a review"}
              who_may_ask: {type: list, default: [OWNER, MEMBER, COLLABORATOR], help: "whose comment may ask"}
            limits: {wall: 10m, cpu: 60s, memory: 64MiB, tokens: 200000}
            on_failure: true
            """);

        Assert.Equal("code-review", manifest.Name);
        Assert.Equal(["github.pull_request", "github.issue_comment", "http"], manifest.Triggers.Select(t => t.On));
        Assert.Equal(Concurrency.CancelRunning, manifest.Triggers[0].Concurrency);
        Assert.Equal(HttpAuth.Token, manifest.Triggers[2].Auth);
        Assert.Equal("gh", manifest.Grants.Integrations["github"].Connection);
        Assert.True(manifest.Grants.AllowsModel("anything"));
        Assert.Equal("api.example.com", manifest.Grants.Http!.Hosts.Single().ToString());
        Assert.Equal("""["OWNER","MEMBER","COLLABORATOR"]""", manifest.Settings[1].Default!.ToJsonString());
        Assert.Equal(TimeSpan.FromMinutes(10), manifest.Limits.Wall);
        Assert.Equal(64L << 20, manifest.Limits.MemoryBytes);
        Assert.True(manifest.OnFailure);
    }

    [Theory]
    [InlineData("", "flow.yaml: the manifest is empty")]
    [InlineData("- a", "flow.yaml:1:1: a manifest is a map, but this is a list")]
    [InlineData("name: a", "flow.yaml:1:1: the manifest needs the key 'millrace'")]
    [InlineData("millrace: 2", "flow.yaml:1:11: this Millrace reads manifests of version 1: write 'millrace: 1'")]
    [InlineData("millrace: '1'", "flow.yaml:1:11: 'millrace' is a whole number, not '1'")]
    [InlineData("millrace: 1\nname: Big", "flow.yaml:2:7: 'Big' is not a flow's name")]
    [InlineData("millrace: 1\nname: a\nmodule: ../a.wasm", "flow.yaml:3:9: 'module': '../a.wasm' leaves the package's folder")]
    [InlineData("millrace: 1\nname: a\nmodule: /a.wasm", "flow.yaml:3:9: 'module': '/a.wasm' must be relative")]
    [InlineData(Head + "colour: red", "flow.yaml:4:1: unknown key 'colour' in the manifest; known are millrace, name,")]
    [InlineData(Head + "name: b", "flow.yaml:4:1: the key 'name' stands here twice")]
    [InlineData(Head + "limits: {money_usd: 3}", "flow.yaml:4:10: money budgets come later")]
    [InlineData(Head + "limits: {wall: 10}", "flow.yaml:4:16: 'wall' is a duration like 500ms, 60s, 10m or 2h, not '10'")]
    [InlineData(Head + "limits: {wall: 25h}", "flow.yaml:4:16: 'wall' is more than 0 and at most 1d")]
    [InlineData(Head + "limits: {memory: 64MB}", "flow.yaml:4:18: 'memory' is a size like 512KiB, 64MiB or 1GiB, not '64MB'")]
    [InlineData(Head + "limits: {tokens: -1}", "flow.yaml:4:18: 'tokens' lies between 0 and 1000000000")]
    [InlineData(Head + "on_failure: yes", "flow.yaml:4:13: 'on_failure' is true or false, not 'yes'")]
    [InlineData(Head + "triggers: {on: http}", "flow.yaml:4:11: 'triggers' is a list, but this is a map")]
    [InlineData(Head + "triggers: [{on: http}, {on: http}]", "flow.yaml:4:24: a flow has one 'http' trigger at most")]
    [InlineData(Head + "triggers: [{on: nonsense}]", "flow.yaml:4:17: 'nonsense' is no event")]
    [InlineData(Head + "triggers: [{on: schedule}]", "flow.yaml:4:17: triggers on 'schedule' come later")]
    [InlineData(Head + "triggers: [{on: github.push}]", "flow.yaml:4:12: a trigger on 'github.push' needs 'connection'")]
    [InlineData(Head + "triggers: [{on: http, connection: gh}]", "flow.yaml:4:35: an 'http' trigger has no connection")]
    [InlineData(Head + "triggers: [{on: http, auth: open}]", "flow.yaml:4:29: 'auth' is one of token, none, not 'open'")]
    [InlineData(Head + "triggers: [{on: a.b, connection: c, auth: none}]", "flow.yaml:4:43: only an 'http' trigger has 'auth'")]
    [InlineData(Head + "triggers: [{on: http, concurrency: queue}, {on: a.b, connection: c, concurrency: cancel-running}]",
        "flow.yaml:4:82: 'concurrency' needs a 'partition'")]
    [InlineData(Head + "grants: {kv: {}}", "flow.yaml:4:10: 'kv' needs no grant: every flow has it")]
    [InlineData(Head + "grants: {net: {}}", "flow.yaml:4:10: 'net' cannot be granted yet")]
    [InlineData(Head + "grants: {github: {operations: [a]}}", "flow.yaml:4:18: the grant 'github' needs the key 'connection'")]
    [InlineData(Head + "grants: {github: {connection: gh, operations: [A-B]}}", "flow.yaml:4:48: 'A-B' is not an operation's name")]
    [InlineData(Head + "grants: {github: {connection: gh, operations: [a], approval: always}}", "flow.yaml:4:52: approval by a person comes later")]
    [InlineData(Head + "grants: {http: {hosts: ['https://a.example/path']}}", "flow.yaml:4:25: a host is a name")]
    [InlineData(Head + "grants: {http: {hosts: [a.example], methods: [get]}}", "flow.yaml:4:47: 'methods' is one of GET,")]
    [InlineData(Head + "settings: {a: {type: text}}", "flow.yaml:4:22: a setting's type is one of string, list, int, bool, duration, size")]
    [InlineData(Head + "settings: {a: {type: int, default: x}}", "flow.yaml:4:36: 'a' is a whole number, not 'x'")]
    [InlineData(Head + "settings: {A: {type: int}}", "flow.yaml:4:12: 'A' is not a setting's name")]
    [InlineData(Head + "x: &a 1", "flow.yaml:4:4: anchors and aliases are not allowed in a manifest")]
    [InlineData(Head + "x: !!int 1", "flow.yaml:4:4: tags are not allowed in a manifest")]
    [InlineData(Head + "x: [", "flow.yaml:")]
    [InlineData(Head + "---\nb: 1", "flow.yaml:4:1: a manifest is a single document")]
    public void Says_what_is_wrong_and_where(string yaml, string expected)
    {
        var fault = Assert.Throws<ManifestException>(() => Read(yaml));

        Assert.StartsWith(expected, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_text_that_is_not_UTF_8()
    {
        var fault = Assert.Throws<ManifestException>(() => FlowManifestReader.Read([0x6d, 0xff, 0xfe]));

        Assert.Equal("flow.yaml: the text is not UTF-8", fault.Message);
    }

    [Fact]
    public void Refuses_nesting_without_end()
    {
        var fault = Assert.Throws<ManifestException>(() => Read(new string('[', 5000)));

        Assert.Contains("nested deeper", fault.Message, StringComparison.Ordinal);
    }
}
