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

    /// <summary>What is wrong with a package's module; null: nothing.</summary>
    public required Func<Package, Task<string?>> CheckModule { get; init; }

    /// <summary>The processes that guests run in; null: this one.</summary>
    public WorkerPool? Workers { get; init; }

    /// <summary>Closed last, in this order.</summary>
    public ImmutableArray<IDisposable> Owned { get; init; } = [];

    /// <summary>The real parts.</summary>
    public static PlatformParts Open(PlatformOptions options)
    {
        var folder = DataFolder.Lock(options.DataFolder);
        try
        {
            var store = SqliteStore.Open(Path.Combine(options.DataFolder, "millrace.db"));
            var catalog = new Catalog(store);
            var connections = new ConnectionStore(options.DataFolder);
            var outside = new OutsideOperations(
                connections, name => catalog.Newest(PackageKind.Integration, name)?.Package.Integration, options);
            var parts = new PlatformParts
            {
                Options = options,
                Store = store,
                BuiltIns = outside.BuiltIns,
                Connections = connections.Find,
                Catalog = catalog,
                ConnectionStore = connections,
                Outside = outside,
                Guests = (_, _, _) => throw new InvalidOperationException("guests have no place yet"),
                CheckModule = _ => throw new InvalidOperationException("guests have no place yet"),
                Owned = [outside, folder],
            };
            return options.Workers is { } workers ? InWorkers(parts, workers) : InProcess(parts);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    static PlatformParts InProcess(PlatformParts parts)
    {
        var options = parts.Options;
        var engine = options.Engine ?? new Engine();
        var modules = new ModuleCache(engine, ModulesMax);
        return parts with
        {
            Guests = (deployed, request, host) => Task.FromResult<IGuest>(new SandboxGuest(SandboxRun.Create(
                engine, modules.Get(deployed.Package.Module), request, host, options.Time))),
            CheckModule = package => Task.FromResult(Fault(modules, package.Module)),
            Owned = options.Engine is null ? parts.Owned.Insert(0, engine) : parts.Owned,
        };
    }

    static string? Fault(ModuleCache modules, ReadOnlyMemory<byte> module)
    {
        try
        {
            modules.Get(module);
            return null;
        }
        catch (WasmException fault)
        {
            return fault.Message;
        }
    }

    static PlatformParts InWorkers(PlatformParts parts, WorkerOptions workers)
    {
        var options = parts.Options;
        var pool = new WorkerPool(workers with { Notice = options.Notice });
        if (options.ExecutesRuns) pool.Warm();
        return parts with
        {
            Workers = pool,
            Guests = (deployed, request, host) => Task.FromResult<IGuest>(new WorkerGuest(pool.Create(
                GroupOf(deployed.Package, options), deployed.Package.Module, request, host))),
            CheckModule = package => pool.CheckAsync(GroupOf(package, options), package.Module),
        };
    }

    /// <summary>Who may share a process: all runs of a flow, and of the integrations that come with the program.</summary>
    static string GroupOf(Package package, PlatformOptions options)
    {
        if (!package.IsIntegration) return $"flow {package.Name}";
        return options.SharedPackages.Contains(package.Digest) ? "integrations" : $"integration {package.Name}";
    }

    /// <summary>As a crash: what is not committed is gone.</summary>
    public void Abort()
    {
        Workers?.Abort();
        (Store as SqliteStore)?.Abort();
        foreach (var owned in Owned) owned.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        if (Workers is not null) await Workers.DisposeAsync();
        await Store.DisposeAsync();
        foreach (var owned in Owned) owned.Dispose();
    }
}
