using System.Collections.Immutable;
using System.Reflection;
using Millrace.Flows.Storage;

namespace Millrace.Flows.Tests;

/// <summary>A store that takes long to say that no run is due.</summary>
public class SlowLeases : DispatchProxy
{
    static readonly TimeSpan Slowness = TimeSpan.FromSeconds(1.2);

    IStore? _store;

    internal static IStore Around(IStore store)
    {
        var proxy = Create<IStore, SlowLeases>();
        ((SlowLeases)(object)proxy)._store = store;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var answer = targetMethod!.Invoke(_store, args);
        return answer is Task<ImmutableArray<RunRow>> leased && targetMethod.Name == nameof(IStore.LeaseAsync)
            ? LateAsync(leased) : answer;
    }

    static async Task<ImmutableArray<RunRow>> LateAsync(Task<ImmutableArray<RunRow>> leased)
    {
        var rows = await leased;
        if (rows.IsEmpty) await Task.Delay(Slowness);
        return rows;
    }
}
