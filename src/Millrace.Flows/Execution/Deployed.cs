using System.Collections.Concurrent;
using System.Collections.Immutable;
using Millrace.Flows.Manifests;
using Millrace.Flows.Storage;

namespace Millrace.Flows.Execution;

/// <summary>A package as deployed, read again from its files.</summary>
sealed record Deployed(PackageRow Row, Package Package);

/// <summary>Packages by version, and which one is the newest.</summary>
sealed class Catalog(IStore store)
{
    readonly ConcurrentDictionary<(PackageKind, string, int), Deployed> _versions = [];
    ImmutableDictionary<(PackageKind, string), Deployed> _newest =
        ImmutableDictionary<(PackageKind, string), Deployed>.Empty;

    /// <summary>The newest version of every flow.</summary>
    public IEnumerable<Deployed> Flows => _newest.Values.Where(deployed => deployed.Package.Flow is not null);

    /// <summary>The newest version of every integration.</summary>
    public IEnumerable<Deployed> Integrations => _newest.Values.Where(deployed => deployed.Package.IsIntegration);

    public Deployed? Newest(PackageKind kind, string name) => _newest.GetValueOrDefault((kind, name));

    public async Task LoadAsync()
    {
        foreach (var row in await store.PackagesAsync()) Publish(await ReadAsync(row));
    }

    public async Task<(Deployed Deployed, bool IsNew)> DeployAsync(Package package, long nowMs)
    {
        var kind = package.IsIntegration ? PackageKind.Integration : PackageKind.Flow;
        var (row, isNew) = await store.DeployAsync(new(package.Name, kind, package.Files.All), nowMs);
        var deployed = new Deployed(row, package);
        Publish(deployed);
        return (deployed, isNew);
    }

    /// <summary>The version that a run is pinned to.</summary>
    public async Task<Deployed> VersionAsync(PackageKind kind, string name, int version)
    {
        if (_versions.TryGetValue((kind, name, version), out var known)) return known;
        var row = await store.PackageAsync(kind, name, version)
            ?? throw new PlatformException(PlatformError.NotFound, $"There is no version {version} of '{name}'.");
        var deployed = await ReadAsync(row);
        _versions[(kind, name, version)] = deployed;
        return deployed;
    }

    void Publish(Deployed deployed)
    {
        var row = deployed.Row;
        _versions[(row.Kind, row.Name, row.Version)] = deployed;
        ImmutableInterlocked.AddOrUpdate(ref _newest, (row.Kind, row.Name), deployed,
            (_, known) => known.Row.Version > row.Version ? known : deployed);
    }

    async Task<Deployed> ReadAsync(PackageRow row)
    {
        var files = ImmutableSortedDictionary.CreateBuilder<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (var (path, hash) in row.Files) files.Add(path, await store.BlobAsync(hash));
        return new(row, Package.Read(PackageContent.Of($"{row.Name} version {row.Version}", files)));
    }
}
