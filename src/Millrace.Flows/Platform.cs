using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Millrace.Flows.Door;
using Millrace.Flows.Execution;
using Millrace.Flows.Manifests;
using Millrace.Flows.Queue;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows;

/// <summary>
/// The platform of one data folder: takes events, executes runs, keeps their journal. The way of an event begins at
/// <see cref="AcceptAsync"/>. Thread-safe.
/// </summary>
public sealed class Platform : IAsyncDisposable
{
    const int ChunksRead = 64;

    readonly Node _node;
    readonly PlatformParts _parts;
    readonly Dispatcher _dispatcher;

    Platform(Node node, PlatformParts parts)
    {
        (_node, _parts) = (node, parts);
        _dispatcher = new(node);
    }

    /// <summary>Opens a data folder, and goes on with what was under way when it was closed or lost.</summary>
    /// <exception cref="PlatformException">Locked by another server, damaged, or not readable.</exception>
    public static Task<Platform> OpenAsync(PlatformOptions options) => OpenAsync(PlatformParts.Open(options));

    internal static async Task<Platform> OpenAsync(PlatformParts parts)
    {
        var options = parts.Options;
        var node = new Node(options, parts.Store)
        {
            BuiltIns = parts.BuiltIns.Prepend(Sleep.BuiltIn).ToFrozenDictionary(builtIn => builtIn.Name),
            Catalog = parts.Catalog ?? new(parts.Store),
            Connections = parts.Connections,
            Guests = parts.Guests,
            Owner = Convert.ToHexStringLower(options.Randomness(8)),
        };
        try
        {
            await node.Catalog.LoadAsync();
            var recovered = options.ExecutesRuns ? await node.Store.RecoverAsync(options.Time.GetUtcNow()) : 0;
            if (recovered > 0) options.Notice($"{recovered} runs were under way; they go on from their journals.");
        }
        catch
        {
            node.Dispose();
            await parts.DisposeAsync();
            throw;
        }
        var platform = new Platform(node, parts);
        if (options.ExecutesRuns) platform._dispatcher.Start();
        return platform;
    }

    /// <summary>The connections of the data folder.</summary>
    public ConnectionStore Connections => _parts.ConnectionStore
        ?? throw new InvalidOperationException("This platform was put together without a data folder.");

    /// <summary>Asks a connection's address with its secret; null when there is no such connection.</summary>
    public Task<ConnectionReport?> TestConnectionAsync(string name, CancellationToken cancel = default) =>
        _parts.Outside?.TestAsync(name, _node.Time, cancel) ?? Task.FromResult<ConnectionReport?>(null);

    /// <summary>The models that flows can name.</summary>
    public async Task<ImmutableArray<ModelSummary>> ModelsAsync(CancellationToken cancel = default)
    {
        if (_parts.Outside?.Routes is not { } models) return [];
        var routes = await models.ListAsync(cancel);
        var standard = models.Default(routes);
        return [.. routes.Select(route => new ModelSummary(
            route.Name, route.ContextTokens, new(route.Passed, route.Reason), route.Name == standard)
        {
            Connection = route.Connection,
            VerdictKey = route.VerdictKey,
        })];
    }

    /// <summary>Asks a model outside any run, for the check of it; no journal, no budget.</summary>
    /// <exception cref="LanguageModelException">The model could not answer.</exception>
    public async Task<ChatAnswer> AskModelAsync(ChatRequest request, CancellationToken cancel = default)
    {
        var routes = _parts.Outside?.Routes is { } models ? await models.ListAsync(cancel) : [];
        var route = routes.FirstOrDefault(route => route.Name == request.Model)
            ?? throw new LanguageModelException(ErrorResult.ModelUnavailable, $"There is no model '{request.Model}'.");
        return route.IsRemote
            ? await ModelProbe.AskAsync(_node, route, request, cancel)
            : await _node.Options.LanguageModel!.ChatAsync(request, cancel);
    }

    /// <summary>The newest version of every flow.</summary>
    public ImmutableArray<FlowSummary> Flows =>
    [
        .. _node.Catalog.Flows.OrderBy(flow => flow.Row.Name, StringComparer.Ordinal).Select(flow => new FlowSummary(
            flow.Row.Name, flow.Row.Version, DateTimeOffset.FromUnixTimeMilliseconds(flow.Row.DeployedMs),
            [.. flow.Package.Flow!.Triggers.Select(trigger => trigger.On)])),
    ];

    /// <summary>The newest version of every integration.</summary>
    public ImmutableArray<IntegrationSummary> Integrations =>
    [
        .. _node.Catalog.Integrations.OrderBy(deployed => deployed.Row.Name, StringComparer.Ordinal).Select(
            deployed => new IntegrationSummary(
                deployed.Row.Name, deployed.Row.Version, deployed.Package.Webhook is not null)),
    ];

    /// <summary>The newest version of a flow or an integration; null when there is none.</summary>
    public Package? Find(string name, bool isIntegration) => _node.Catalog.Newest(
        isIntegration ? PackageKind.Integration : PackageKind.Flow, name)?.Package;

    /// <summary>Stores a package as a new version; when it equals the newest one, nothing happens.</summary>
    /// <exception cref="PlatformException">It does not fit what is deployed, or its module is faulty.</exception>
    public async Task<DeployedPackage> DeployAsync(Package package)
    {
        var report = new DeployCheck(
            name => _node.Catalog.Newest(PackageKind.Integration, name)?.Package.Integration, _node.Connections)
            .Check(package);
        if (!report.Problems.IsEmpty)
            throw new PlatformException(PlatformError.PackageInvalid, string.Join('\n', report.Problems));
        if (await FaultAsync(package) is { } fault)
            throw new PlatformException(PlatformError.PackageInvalid, $"The module is faulty: {fault}");
        var (deployed, isNew) = await _node.Catalog.DeployAsync(package, Clock.Ms(_node.Time));
        return new(package.Name, deployed.Row.Version, isNew, report.Remarks);
    }

    async Task<string?> FaultAsync(Package package)
    {
        try
        {
            return await _parts.CheckModule(package);
        }
        catch (WorkerLostException lost)
        {
            throw new PlatformException(
                PlatformError.PackageInvalid, $"The module could not be checked: {lost.Message}", lost);
        }
    }

    /// <summary>Commits an event and its runs. Only then may the sender be told that it was accepted.</summary>
    public async Task<AcceptedEvent> AcceptAsync(IncomingEvent incoming)
    {
        var runs = EventMatch.Runs(incoming, _node.Catalog.Flows, _node.Options);
        var accepted = await _node.Store.AcceptAsync(EventMatch.Event(incoming, _node.Time.GetUtcNow()), runs);
        foreach (var run in accepted.Superseded) _dispatcher.Stop(run, StopCause.Superseded);
        if (!accepted.IsDuplicate && !accepted.Runs.IsEmpty) _dispatcher.Wake();
        return new(accepted.IsDuplicate, accepted.Runs);
    }

    /// <summary>Runs of events, newest first.</summary>
    /// <param name="flow">Of one flow; null: of all.</param>
    /// <param name="before">Only those older than this run; null: from the newest on.</param>
    /// <param name="limit">So many at most.</param>
    public async Task<ImmutableArray<RunSummary>> RunsAsync(
        string? flow = null, string? before = null, int limit = 50) =>
        [.. (await _node.Store.RunsAsync(flow, before, limit)).Select(Timeline.Summary)];

    /// <summary>A run with its timeline; null when there is no such run.</summary>
    public async Task<RunDetail?> RunAsync(string id) =>
        await _node.Store.RunAsync(id) is { } row ? await Timeline.DetailAsync(_node.Store, row) : null;

    /// <summary>A run's log: standard error and <c>log.write</c>, by time.</summary>
    /// <exception cref="PlatformException">There is no such run.</exception>
    public async Task<ImmutableArray<LogEntry>> LogAsync(string id) =>
        await Timeline.LogAsync(_node.Store, await RowAsync(id));

    /// <summary>Waits until a run has ended.</summary>
    /// <exception cref="PlatformException">There is no such run.</exception>
    public async Task<RunSummary> WaitForEndAsync(string id, CancellationToken cancel = default)
    {
        while (true)
        {
            var changed = _node.Feeds.Changed(id);
            var row = await RowAsync(id);
            if (row.State == RunState.Ended) return Timeline.Summary(row);
            await changed.WaitAsync(cancel);
        }
    }

    /// <summary>Waits for the first byte of a run's output, or its end: status and headers stand then.</summary>
    public async Task<RunAnswer> AnswerAsync(string id, CancellationToken cancel = default)
    {
        while (true)
        {
            var changed = _node.Feeds.Changed(id);
            var row = await RowAsync(id);
            var hasBegun = !(await _node.Store.OutputAsync(row.Number, OutputStream.Result, 0, 1)).IsEmpty;
            if (hasBegun || row.State == RunState.Ended)
            {
                var headers = row.RespondHeaders is { } json
                    ? JsonSerializer.Deserialize<Dictionary<string, string>>(json)! : [];
                var isFailure = !hasBegun && row.Outcome is not RunOutcome.Completed;
                return new(row.RespondStatus ?? (isFailure ? 500 : 200), headers.ToImmutableSortedDictionary());
            }
            await changed.WaitAsync(cancel);
        }
    }

    /// <summary>A run's output as it is committed, until the run has ended.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadOutputAsync(
        string id, OutputStream stream = OutputStream.Result,
        [EnumeratorCancellation] CancellationToken cancel = default)
    {
        for (long offset = 0; ;)
        {
            var changed = _node.Feeds.Changed(id);
            var row = await RowAsync(id);
            var chunks = await _node.Store.OutputAsync(row.Number, stream, offset, ChunksRead);
            foreach (var chunk in chunks)
            {
                yield return chunk.Bytes;
                offset = chunk.Offset + chunk.Bytes.Length;
            }
            if (!chunks.IsEmpty) continue;
            if (row.State == RunState.Ended) yield break;
            await changed.WaitAsync(cancel);
        }
    }

    /// <summary>
    /// Cancels a run: it starts nothing more, and ends when its writes are settled. False: it has ended.
    /// </summary>
    public async Task<bool> CancelAsync(string id)
    {
        await RowAsync(id);
        if (await _node.Store.StopAsync(id, StopReason.Cancelled, Clock.Ms(_node.Time)) is null) return false;
        _dispatcher.Stop(id, StopCause.Cancelled);
        return true;
    }

    /// <summary>A person decides what became of a write whose fate nobody knows.</summary>
    /// <param name="id">The run.</param>
    /// <param name="sequence">The operation.</param>
    /// <param name="result">Head of the result, JSON; null: it was not applied, and a living run sends it again.</param>
    /// <exception cref="PlatformException">There is no such write.</exception>
    public async Task ResolveAsync(string id, long sequence, string? result)
    {
        var row = await RowAsync(id);
        var decided = result is null ? null
            : new OperationResult(ResultState.Done, Encoding.UTF8.GetBytes(result), default, Clock.Ns(_node.Time));
        if (_dispatcher.Find(id)?.TryResolve(sequence, new(decided)) == true) return;
        var state = decided is null ? OperationState.Withdrawn : OperationState.Done;
        var isResolved = row.State == RunState.Ended
            && await _node.Store.ResolveAsync(row.Number, row.Branch, sequence, state, decided);
        if (!isResolved)
            throw new PlatformException(PlatformError.NotFound, $"Run {id} has no unknown write {sequence}.");
    }

    /// <summary>A planned stop: runs go back to the queue, sent writes get their answer first.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_node.IsGone) return;
        await _dispatcher.StopAsync();
        await _parts.DisposeAsync();
        _dispatcher.Dispose();
        _node.Dispose();
    }

    /// <summary>As a SIGKILL: nothing more is committed or sent.</summary>
    internal void Crash()
    {
        _node.IsGone = true;
        _parts.Abort();
        _node.Stop();
        _dispatcher.Abandon();
    }

    async Task<RunRow> RowAsync(string id) => await _node.Store.RunAsync(id)
        ?? throw new PlatformException(PlatformError.NotFound, $"There is no run '{id}'.");
}
