using System.Diagnostics;
using System.Globalization;
using Millrace.Wasm.Compilation;

namespace Millrace.Fuzz;

/// <summary>Compares the modules of a range of seeds; what differs is made smaller and kept.</summary>
sealed class ComparisonRun : IDisposable
{
    const int ToldEvery = 200;
    static readonly TimeSpan ReducingMax = TimeSpan.FromMinutes(2);

    readonly List<ComparedMode> _modes;
    readonly Comparison _comparison;
    readonly CompilerFault _fault;
    readonly string _keep;
    readonly OtherEngine _theirs;
    readonly IModuleSource _source;
    readonly string? _out;

    /// <param name="theirs">The other engine.</param>
    /// <param name="source">Where the modules come from.</param>
    /// <param name="modes">Of this one: as <c>jit,guard@10</c>.</param>
    /// <param name="fault">A mistake to make; the run ends at the first difference then.</param>
    /// <param name="keep">The folder for what differs.</param>
    /// <param name="file">Where the results so far are written, again and again: what was counted is never lost.</param>
    public ComparisonRun(
        OtherEngine theirs, IModuleSource source, string modes, CompilerFault fault, string keep, string? file)
    {
        (_theirs, _source, _fault, _keep, _out) = (theirs, source, fault, keep, file);
        _modes = [.. modes.Split(',').Select(mode => mode.Split('@')).Select(words => new ComparedMode(
            new OwnEngine(words[0], fault), words.Length > 1 ? long.Parse(words[1], CultureInfo.InvariantCulture) : 1))];
        _comparison = new(_modes, theirs, source);
    }

    /// <summary>The results as Markdown, and whether nothing differed.</summary>
    public async Task<(string Text, bool IsGood)> RunAsync(long from, long end, TimeSpan limit, CancellationToken cancel)
    {
        var (clock, divergences, seed) = (Stopwatch.StartNew(), new List<Divergence>(), from);
        for (; seed < end && clock.Elapsed < limit && !cancel.IsCancellationRequested; seed++)
        {
            if (await _comparison.CompareAsync(seed) is { } divergence)
            {
                var words = $"seed {seed}: here '{divergence.Ours}', there '{divergence.Theirs}'";
                if (_fault != CompilerFault.None) return (words, false);
                divergences.Add(divergence);
                Console.WriteLine($"{divergence.Mode}, {words}");
                Save(seed + 1);
                await KeepAsync(divergence);
            }

            if ((seed - from + 1) % ToldEvery != 0) continue;
            Save(seed + 1);
            Console.Error.WriteLine($"{seed - from + 1} modules, {clock.Elapsed.TotalSeconds:0} s, {divergences.Count} differ");
        }

        return (Report(seed), divergences.Count == 0);

        string Report(long next) => FuzzReport.Of(_comparison, from, next, clock.Elapsed, divergences);

        void Save(long next)
        {
            if (_out is not null) File.WriteAllText(_out, Report(next));
        }
    }

    async Task KeepAsync(Divergence divergence)
    {
        var folder = Directory.CreateDirectory(_keep).FullName;
        if (divergence.Module.Wat.Length == 0)
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{divergence.Seed}.wasm"), divergence.Wasm);
            return;
        }

        // On an engine of its own, whose traps nobody counts.
        using var engine = new OwnEngine(divergence.Mode, _fault);
        var comparison = new Comparison([new(engine, 1)], _theirs, _source);
        var small = await new Reducer(comparison, divergence.Mode, ReducingMax).ReduceAsync(divergence.Module with { Counted = [] });
        KeptModule.Write(Path.Combine(folder, $"{divergence.Seed}.wat"), divergence.Mode, small);
    }

    public void Dispose()
    {
        foreach (var mode in _modes) mode.Engine.Dispose();
    }
}
