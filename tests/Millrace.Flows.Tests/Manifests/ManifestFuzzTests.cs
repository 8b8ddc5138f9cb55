using System.Diagnostics;
using System.Text;
using Millrace.Flows.Manifests;

namespace Millrace.Flows.Tests.Manifests;

public sealed class ManifestFuzzTests
{
    const string Flow = """
        millrace: 1
        name: code-review
        module: code_review.wasm
        triggers:
          - {on: github.pull_request, connection: gh, where: {action: [opened], a.b: {not: {starts: "{settings.x}"}}},
             partition: "{repository.full_name}#{pull_request.number}", concurrency: cancel-running}
        grants: {github: {connection: gh, operations: [a]}, llm: {models: ["*"]}, http: {hosts: ["a.example:1"], methods: [GET]}}
        settings: {x: {type: list, default: [a, "b"], help: 'c'}, y: {type: size, default: 3MiB}}
        limits: {wall: 10m, cpu: 60s, memory: 64MiB, tokens: 200000}
        """;

    const string Integration = """
        millrace: 1
        name: github
        module: github.wasm
        hosts: [api.github.com, "http://[::1]:80"]
        webhook: {hmac_sha256: x-hub-signature-256, prefix: "sha256=", id: x-github-delivery, type: x-github-event}
        operations:
          find_comment: {kind: read}
          create_comment: {kind: write, find: find_comment, request: schemas/a.json, result: schemas/b.json}
        """;

    static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(2);

    [Theory]
    [InlineData(Flow)]
    [InlineData(Integration)]
    public void A_broken_manifest_is_a_manifest_fault_and_nothing_else(string text)
    {
        var random = new Random(20260703);
        var clock = Stopwatch.StartNew();
        var rounds = 0;

        while (rounds < 1000 && clock.Elapsed < TimeMax)
        {
            var bytes = Mutate(Encoding.UTF8.GetBytes(text), random);
            ReadOrFault(bytes);
            rounds++;
        }

        Assert.NotEqual(0, rounds);
    }

    static void ReadOrFault(byte[] bytes)
    {
        try
        {
            var files = new Dictionary<string, ReadOnlyMemory<byte>>
            {
                [bytes.AsSpan().IndexOf("hmac"u8) < 0 ? "flow.yaml" : "integration.yaml"] = bytes,
                ["code_review.wasm"] = "\0asm\x1\0\0\0"u8.ToArray(),
                ["github.wasm"] = "\0asm\x1\0\0\0"u8.ToArray(),
            };
            Package.Read(PackageContent.Of("fuzz", files));
        }
        catch (ManifestException)
        {
            // The one exception that a broken text may throw.
        }
    }

    static byte[] Mutate(byte[] bytes, Random random)
    {
        const string Telling = "{}[]:,\"'\n\t &*!|>%@`#-?\\\0\u00e9";
        var list = bytes.ToList();
        for (var i = random.Next(1, 6); i > 0 && list.Count > 0; i--)
        {
            var at = random.Next(list.Count);
            switch (random.Next(5))
            {
                case 0: list[at] = (byte)random.Next(256); break;
                case 1: list.RemoveRange(at, Math.Min(random.Next(1, 30), list.Count - at)); break;
                case 2: list.InsertRange(at, Encoding.UTF8.GetBytes(Telling[random.Next(Telling.Length)].ToString())); break;
                case 3: list.InsertRange(at, list.GetRange(at, Math.Min(random.Next(1, 40), list.Count - at))); break;
                default: list.RemoveRange(at, list.Count - at); break;
            }
        }
        return [.. list];
    }
}
