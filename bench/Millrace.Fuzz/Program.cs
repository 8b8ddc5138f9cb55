using System.CommandLine;
using System.Diagnostics;
using Millrace.Fuzz;
using Millrace.Fuzz.Mutation;
using Millrace.Wasm.Compilation;

var from = new Option<long>("--from") { Description = "The first seed.", DefaultValueFactory = _ => 0 };
var count = new Option<long>("--count") { Description = "So many modules.", DefaultValueFactory = _ => 1000 };
var minutes = new Option<double>("--minutes") { Description = "Ends after so long, where that comes first." };
var keep = new Option<string>("--keep")
{
    Description = "Where modules are kept on which the engines differ.",
    DefaultValueFactory = _ => "divergences",
};
var show = new Option<long?>("--show") { Description = "Prints the module of a seed, and does nothing else." };
var fault = new Option<CompilerFault>("--fault") { Description = "A mistake for this compiler; ends with 1 where it is found." };
var faults = new Option<bool>("--faults") { Description = "Searches every such mistake, each for --minutes at most." };
var file = new Option<string?>("--out") { Description = "Writes the results there, as Markdown." };
var mutate = new Option<bool>("--mutate") { Description = "Mutates modules, texts and scripts instead, for --minutes." };
var corpus = new Option<string?>("--corpus") { Description = "With --mutate: a folder of further modules and scripts." };
var place = new Option<string?>("--place") { Description = "With --mutate: works in this process, and tells its seed there." };
var root = new RootCommand("Runs generated modules on this engine and on V8, and compares.")
{
    from, count, minutes, keep, show, fault, faults, file, mutate, corpus, place,
};
root.SetAction(async (result, cancel) =>
{
    if (result.GetValue(show) is { } one)
    {
        Console.Write(ModuleGenerator.Make(one, isProfiled: false).Wat);
        return 0;
    }

    var limit = result.GetValue(minutes) is > 0 and var given ? TimeSpan.FromMinutes(given) : TimeSpan.MaxValue;
    if (result.GetValue(mutate) && result.GetValue(place) is { } at)
    {
        var all = result.GetValue(count);
        return MutationRun.Work(
            result.GetValue(from), all == long.MaxValue ? all : result.GetValue(from) + all, limit, result.GetValue(corpus),
            result.GetRequiredValue(keep), at) == 0 ? 0 : 1;
    }

    if (result.GetValue(mutate))
    {
        var time = limit < TimeSpan.MaxValue ? limit : TimeSpan.FromMinutes(10);
        var (found, failed) = await MutationRun.RunAsync(
            result.GetValue(from), time, result.GetValue(corpus), result.GetRequiredValue(keep), cancel);
        Console.WriteLine(found);
        if (result.GetValue(file) is { } there) File.WriteAllText(there, found);
        return failed == 0 ? 0 : 1;
    }

    if (result.GetValue(faults))
    {
        var table = await FaultSearch.TableAsync(limit < TimeSpan.MaxValue ? limit : TimeSpan.FromMinutes(10), Console.Error.WriteLine, cancel);
        Console.WriteLine(table);
        if (result.GetValue(file) is { } to) File.WriteAllText(to, table);
        return 0;
    }

    var (other, reason) = await OtherEngine.StartAsync();
    if (other is null)
    {
        Console.Error.WriteLine(reason);
        return 2;
    }

    using var theirs = other;
    var mistake = result.GetValue(fault);
    using var ours = new OwnEngine(mistake);
    var comparison = new Comparison(ours, theirs);
    var (first, end) = (result.GetValue(from), result.GetValue(count) is long.MaxValue ? long.MaxValue : result.GetValue(from) + result.GetValue(count));
    var clock = Stopwatch.StartNew();
    var divergences = new List<Divergence>();
    var seed = first;
    for (; seed < end && clock.Elapsed < limit && !cancel.IsCancellationRequested; seed++)
    {
        if (await comparison.CompareAsync(seed) is { } divergence)
        {
            if (mistake != CompilerFault.None)
            {
                Console.WriteLine($"seed {seed}: here '{divergence.Ours}', there '{divergence.Theirs}'");
                return 1;
            }

            divergences.Add(divergence);
            var folder = Directory.CreateDirectory(result.GetRequiredValue(keep)).FullName;
            var small = await new Reducer(comparison).ReduceAsync(divergence.Module with { Counted = [] });
            var calls = string.Concat(small.Calls.Select(call => $";; {call.Name} {string.Join(' ', call.Arguments)}\n"));
            File.WriteAllText(Path.Combine(folder, $"{seed}.wat"), calls + small.Wat + "\n");
            Console.WriteLine($"{seed}: here '{divergence.Ours}', there '{divergence.Theirs}'");
        }

        if ((seed - first + 1) % 200 == 0)
            Console.Error.WriteLine($"{seed - first + 1} modules, {clock.Elapsed.TotalSeconds:0} s, {divergences.Count} differ");
    }

    var text = FuzzReport.Of(comparison, first, seed, clock.Elapsed, divergences);
    Console.WriteLine(text);
    if (result.GetValue(file) is { } path) File.WriteAllText(path, text);
    return divergences.Count == 0 ? 0 : 1;
});
return await root.Parse(args).InvokeAsync();
