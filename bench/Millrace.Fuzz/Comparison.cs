using Millrace.Wasm;

namespace Millrace.Fuzz;

/// <summary>Where two engines said something different of one module.</summary>
sealed record Divergence(long Seed, string Ours, string Theirs, GeneratedModule Module);

/// <summary>Runs the modules of a range of seeds on both engines and compares every line.</summary>
sealed class Comparison(OwnEngine ours, OtherEngine theirs)
{
    const int ProfiledOneIn = 2;

    /// <summary>Instructions that ran, by name, as the profiled modules counted them.</summary>
    public Dictionary<string, long> Executed { get; } = [];

    /// <summary>Ways in which calls ended by a trap, and how often; "value" those that did not.</summary>
    public Dictionary<string, long> Ends { get; } = [];

    public long Modules { get; private set; }

    public long ModulesThatTrapped { get; private set; }

    /// <summary>Compares the module of a seed; null where both say the same.</summary>
    public async Task<Divergence?> CompareAsync(long seed)
    {
        var module = ModuleGenerator.Make(seed, isProfiled: seed % ProfiledOneIn == 0);
        return await CompareAsync(WatText.ToBinary(module.Wat), module, isCounted: true) is { } found
            ? new(seed, found.Ours, found.Theirs, module) : null;
    }

    /// <summary>The first lines that differ; null where both say the same.</summary>
    public async Task<(string Ours, string Theirs)?> CompareAsync(
        byte[] wasm, GeneratedModule module, bool isCounted = false)
    {
        var asked = theirs.RunAsync(wasm, module);
        var here = ours.Run(wasm, module, isCounted ? Executed : []);
        var there = await asked;
        if (isCounted) Count(here);
        if (here.Count == there.Count && here.Zip(there).All(pair => IsSame(pair.First, pair.Second))) return null;
        var at = Enumerable.Range(0, Math.Max(here.Count, there.Count))
            .First(i => !IsSame(here.ElementAtOrDefault(i), there.ElementAtOrDefault(i)));
        return (here.ElementAtOrDefault(at) ?? "nothing", there.ElementAtOrDefault(at) ?? "nothing");
    }

    // An array.copy from nothing to a place outside has two reasons to trap, and each engine names another.
    static bool IsSame(string? ours, string? theirs) => ours == theirs
        || (ours?.Replace(": trap null", ": trap array", StringComparison.Ordinal)
            == theirs?.Replace(": trap null", ": trap array", StringComparison.Ordinal));

    void Count(List<string> lines)
    {
        Modules++;
        var isTrapped = false;
        foreach (var line in lines.Where(line => line.StartsWith('f')))
        {
            var trap = line.IndexOf(": trap ", StringComparison.Ordinal);
            var end = trap < 0 ? "value" : line[(trap + ": trap ".Length)..];
            Ends[end] = Ends.GetValueOrDefault(end) + 1;
            isTrapped |= trap >= 0;
        }

        if (isTrapped) ModulesThatTrapped++;
    }
}
