using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Manifests;
using Millrace.Flows.Triggers;

namespace Millrace.Flows;

/// <summary>
/// What is deployed: the files of a flow or of an integration, read and checked. A package is its files; from them it
/// can be read again at any time, and their digest is its version.
/// </summary>
public sealed class Package
{
    const string SettingsFile = ".settings.json";
    const string AssetsFolder = "assets/";

    Package(PackageContent files, Flow? flow, Integration? integration)
    {
        Files = files;
        Flow = flow;
        Integration = integration;
        Digest = files.Digest();
    }

    /// <summary>The flow's or the integration's name.</summary>
    public string Name => Flow?.Name ?? Integration!.Name;

    /// <summary>Whether it is an integration; a flow otherwise.</summary>
    public bool IsIntegration => Integration is not null;

    /// <summary>SHA-256 of paths and contents, in hex.</summary>
    public string Digest { get; }

    /// <summary>How the integration's webhooks are signed; null for a flow, or when it has none.</summary>
    public Webhook? Webhook => Integration?.Webhook;

    /// <summary>Whether the flow is called over HTTP.</summary>
    public bool HasHttpTrigger => HttpTrigger is not null;

    /// <summary>Whether whoever reaches the listener may call it; else the flow's token is asked for.</summary>
    public bool IsOpenToAll => HttpTrigger is { Auth: HttpAuth.None };

    Trigger? HttpTrigger => Flow?.Triggers.FirstOrDefault(trigger => trigger.On == "http");

    /// <summary>Integrations that must be deployed first: those it asks, and those whose events it takes.</summary>
    public ImmutableSortedSet<string> Requires
    {
        get
        {
            var asked = (Flow?.Grants ?? Integration!.Grants).Integrations.Keys;
            var heard = (Flow?.Triggers ?? []).Select(trigger => trigger.On.Split('.'))
                .Where(parts => parts.Length > 1).Select(parts => parts[0]);
            return asked.Concat(heard).ToImmutableSortedSet(StringComparer.Ordinal);
        }
    }

    /// <summary>Whether it may ask models.</summary>
    public bool AsksModels => Flow is { Grants.Models.Length: > 0 };

    /// <summary>The WebAssembly module.</summary>
    public ReadOnlyMemory<byte> Module => Files.All[Flow?.Module ?? Integration!.Module];

    /// <summary>Read-only files of the guest, by absolute guest path below <c>/assets</c>.</summary>
    public ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> Assets => Files.All
        .Where(file => file.Key.StartsWith(AssetsFolder, StringComparison.Ordinal))
        .ToImmutableSortedDictionary(file => "/" + file.Key, file => file.Value, StringComparer.Ordinal);

    internal PackageContent Files { get; }

    internal Flow? Flow { get; }

    internal Integration? Integration { get; }

    /// <summary>Reads a folder with a manifest, its module, and what they name.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="settings">Values for the flow's settings, over the manifest's defaults.</param>
    /// <exception cref="ManifestException">The folder holds no package, or a faulty one.</exception>
    public static Package Load(string folder, JsonObject? settings = null) =>
        Read(PackageContent.FromFolder(folder), settings);

    internal static Package Read(PackageContent files, JsonObject? settings = null)
    {
        if (settings is { Count: > 0 })
            files = files.With(SettingsFile, JsonSerializer.SerializeToUtf8Bytes(settings));
        var hasFlow = files.TryGet(FlowManifestReader.FileName, out var flow);
        var hasIntegration = files.TryGet(IntegrationManifestReader.FileName, out var integration);
        if (hasFlow == hasIntegration)
        {
            throw new ManifestException(files.Origin, 0, 0, hasFlow
                ? "holds both flow.yaml and integration.yaml; a package is one of them"
                : "holds neither flow.yaml nor integration.yaml");
        }
        return hasFlow
            ? new Package(files, ReadFlow(files, flow), null)
            : new Package(files, null, ReadIntegration(files, integration));
    }

    static Flow ReadFlow(PackageContent files, ReadOnlyMemory<byte> bytes)
    {
        var manifest = FlowManifestReader.Read(bytes.Span);
        CheckModule(files, manifest.Module, FlowManifestReader.FileName);
        var given = files.TryGet(SettingsFile, out var json) ? JsonNode.Parse(json.Span) as JsonObject : null;
        var settings = Settings.Apply(manifest.Settings, given, FlowManifestReader.FileName);
        return new Flow
        {
            Name = manifest.Name,
            Module = manifest.Module,
            Triggers = [.. manifest.Triggers.Select(trigger => Trigger.From(trigger, settings))],
            Grants = manifest.Grants,
            Settings = settings,
            Limits = manifest.Limits,
            OnFailure = manifest.OnFailure,
        };
    }

    static Integration ReadIntegration(PackageContent files, ReadOnlyMemory<byte> bytes)
    {
        var manifest = IntegrationManifestReader.Read(bytes.Span);
        CheckModule(files, manifest.Module, IntegrationManifestReader.FileName);
        return new Integration
        {
            Name = manifest.Name,
            Module = manifest.Module,
            Hosts = manifest.Hosts,
            Webhook = manifest.Webhook,
            Check = manifest.Check,
            Grants = manifest.Grants,
            Settings = manifest.Settings,
            Limits = manifest.Limits,
            Operations = manifest.Operations.ToImmutableDictionary(
                pair => pair.Key, pair => ReadOperation(files, pair.Value)),
        };
    }

    static IntegrationOperation ReadOperation(PackageContent files, OperationManifest manifest)
    {
        var operation = new IntegrationOperation
        {
            Name = manifest.Name,
            Kind = manifest.Kind,
            Find = manifest.Find,
            IsRepeatSafe = manifest.IsRepeatSafe,
            Undo = manifest.Undo,
        };
        if (Schema(files, manifest.Request) is { } request) operation = operation with { CheckRequest = request.Fault };
        if (Schema(files, manifest.Result) is { } result) operation = operation with { CheckResult = result.Fault };
        return operation;
    }

    static void CheckModule(PackageContent files, string path, string manifest)
    {
        if (!files.TryGet(path, out var module))
            throw new ManifestException(manifest, 0, 0, $"the module '{path}' is not in {files.Origin}");
        if (module.Length < 8 || !module.Span.StartsWith("\0asm"u8))
            throw new ManifestException(path, 0, 0, "not a WebAssembly module");
    }

    static HeadSchema? Schema(PackageContent files, YamlScalar? path)
    {
        if (path is null) return null;
        return files.TryGet(path.Text, out var bytes)
            ? HeadSchema.Read(path.Text, bytes)
            : throw path.At.Problem($"the schema '{path.Text}' is not in {files.Origin}");
    }
}
