using Millrace.Wasm;

namespace Millrace.Fuzz;

/// <summary>Where two engines said something different of one module.</summary>
sealed record Divergence(long Seed, string Mode, string Ours, string Theirs, GeneratedModule Module, byte[] Wasm);

/// <summary>A mode of this engine, and of how many modules it runs one.</summary>
sealed record ComparedMode(OwnEngine Engine, long OneIn);

/// <summary>Runs the modules of a range of seeds on both engines and compares every line.</summary>
sealed class Comparison(IReadOnlyList<ComparedMode> ours, OtherEngine theirs, IModuleSource source)
{
    /// <summary>Instructions that ran, by name, as the profiled modules counted them.</summary>
    public Dictionary<string, long> Executed { get; } = [];

    /// <summary>Ways in which calls ended by a trap, and how often; "value" those that did not.</summary>
    public Dictionary<string, long> Ends { get; } = [];

    public long Modules { get; private set; }

    /// <summary>How many modules each mode ran.</summary>
    public Dictionary<string, long> ModulesOf { get; } = [];

    /// <summary>How often calls trapped in the first mode, by reason.</summary>
    public IReadOnlyDictionary<TrapCode, long> Traps => ours[0].Engine.Traps;

    public long ModulesThatTrapped { get; private set; }

    /// <summary>Compares the module of a seed; null where both say the same.</summary>
    public async Task<Divergence?> CompareAsync(long seed)
    {
        var (module, wasm) = await source.MakeAsync(seed);
        var asked = theirs.RunAsync(wasm, module);
        List<string>? there = null;
        Divergence? divergence = null;
        Modules++;
        for (var i = 0; i < ours.Count; i++)
        {
            var (engine, oneIn) = ours[i];
            if (seed % oneIn != 0) continue;
            var here = engine.Run(wasm, module, i == 0 ? Executed : []);
            there ??= await asked;
            if (i == 0) Count(here);
            ModulesOf[engine.Mode] = ModulesOf.GetValueOrDefault(engine.Mode) + 1;
            if (Difference(here, there) is { } found) divergence ??= new(seed, engine.Mode, found.Ours, found.Theirs, module, wasm);
        }

        await asked;
        return divergence;
    }

    /// <summary>The first lines that differ in a mode; null where both say the same.</summary>
    public async Task<(string Ours, string Theirs)?> CompareAsync(string mode, byte[] wasm, GeneratedModule module)
    {
        var asked = theirs.RunAsync(wasm, module);
        var here = ours.First(one => one.Engine.Mode == mode).Engine.Run(wasm, module, []);
        return Difference(here, await asked);
    }

    static (string Ours, string Theirs)? Difference(List<string> here, List<string> there)
    {
        if (here.Count == there.Count && here.Zip(there).All(pair => IsSame(pair.First, pair.Second))) return null;
        var at = Enumerable.Range(0, Math.Max(here.Count, there.Count))
            .First(i => !IsSame(here.ElementAtOrDefault(i), there.ElementAtOrDefault(i)));
        return (here.ElementAtOrDefault(at) ?? "nothing", there.ElementAtOrDefault(at) ?? "nothing");
    }

    // An array.copy from nothing to a place outside has two reasons to trap, and each engine names another. So has an
    // atomic access that is neither aligned nor inside, and an
    // array made of more of a segment than there is, which is also more than an array may be.
    static readonly string[][] Either =
    [
        ["null", "array"], ["unaligned", "memory"], ["shared", "memory", "unaligned"], ["table", "large"], ["memory", "large"],
    ];

    static bool IsSame(string? ours, string? theirs) => ours == theirs
        || (ours?.IndexOf(": trap ", StringComparison.Ordinal) is > 0 and var at && theirs?.Length > at + 7
            && ours.AsSpan(0, at + 7).SequenceEqual(theirs.AsSpan(0, at + 7))
            && Array.Exists(Either, words => words.Contains(ours[(at + 7)..]) && words.Contains(theirs[(at + 7)..])));

    void Count(List<string> lines)
    {
        var isTrapped = false;
        foreach (var line in lines.Where(line => line.StartsWith('f') && line.Contains(": ", StringComparison.Ordinal)))
        {
            var trap = line.IndexOf(": trap ", StringComparison.Ordinal);
            var end = trap < 0 ? "value" : line[(trap + ": trap ".Length)..].Split(" said ")[0];
            Ends[end] = Ends.GetValueOrDefault(end) + 1;
            isTrapped |= trap >= 0;
        }

        if (isTrapped) ModulesThatTrapped++;
    }
}
