using System.Collections.Immutable;
using Millrace.Flows.Door;
using Millrace.Flows.Operations;
using Millrace.Flows.Storage;
using Millrace.Sandbox;
using Millrace.Wasm;

namespace Millrace.Flows.Execution;

/// <summary>What a platform is put together from; tests put in parts of their own.</summary>
sealed record PlatformParts : IAsyncDisposable
{
    const int ModulesMax = 64;

    public required PlatformOptions Options { get; init; }
    public required IStore Store { get; init; }
    public required ImmutableArray<BuiltIn> BuiltIns { get; init; }
    public required Func<string, Connection?> Connections { get; init; }
    public required GuestFactory Guests { get; init; }

    /// <summary>What is deployed.</summary>
    public Catalog? Catalog { get; init; }

    /// <summary>The connections of the data folder.</summary>
    public ConnectionStore? ConnectionStore { get; init; }

    /// <summary>What reaches out of the store.</summary>
    public OutsideOperations? Outside { get; init; }

    /// <summary>Throws what is wrong with a module.</summary>
    public required Action<ReadOnlyMemory<byte>> CheckModule { get; init; }

    /// <summary>Closed last, in this order.</summary>
    public ImmutableArray<IDisposable> Owned { get; init; } = [];

    /// <summary>The real parts.</summary>
    public static PlatformParts Open(PlatformOptions options)
    {
        var folder = DataFolder.Lock(options.DataFolder);
        try
        {
            var store = SqliteStore.Open(Path.Combine(options.DataFolder, "millrace.db"));
            var engine = options.Engine ?? new Engine();
            var modules = new ModuleCache(engine, ModulesMax);
            var catalog = new Catalog(store);
            var connections = new ConnectionStore(options.DataFolder);
            var outside = new OutsideOperations(
                connections, name => catalog.Newest(PackageKind.Integration, name)?.Package.Integration, options);
            return new()
            {
                Options = options,
                Store = store,
                BuiltIns = outside.BuiltIns,
                Connections = connections.Find,
                Catalog = catalog,
                ConnectionStore = connections,
                Outside = outside,
                Guests = (deployed, request, host) => Task.FromResult<IGuest>(new SandboxGuest(SandboxRun.Create(
                    engine, modules.Get(deployed.Package.Module), request, host, options.Time))),
                CheckModule = bytes => modules.Get(bytes),
                Owned = options.Engine is null ? [outside, engine, folder] : [outside, folder],
            };
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>As a crash: what is not committed is gone.</summary>
    public void Abort()
    {
        (Store as SqliteStore)?.Abort();
        foreach (var owned in Owned) owned.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        foreach (var owned in Owned) owned.Dispose();
    }
}
