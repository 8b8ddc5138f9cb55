using System.CommandLine;
using Millrace.Fuzz;
using Millrace.Fuzz.Hostile;
using Millrace.Fuzz.Mutation;
using Millrace.Wasm.Compilation;

var from = new Option<long>("--from") { Description = "The first seed.", DefaultValueFactory = _ => 0 };
var count = new Option<long?>("--count") { Description = "So many modules; 1000 where nothing else ends it." };
var minutes = new Option<double>("--minutes") { Description = "Ends after so long, where that comes first." };
var keep = new Option<string>("--keep")
{
    Description = "Where modules are kept on which the engines differ.",
    DefaultValueFactory = _ => "divergences",
};
var modes = new Option<string>("--modes")
{
    Description = $"How this engine runs them: of {string.Join(',', OwnEngine.Modes.Keys)}; as in guard@10, one module in ten.",
    DefaultValueFactory = _ => "jit",
};
var source = new Option<string>("--source")
{
    Description = "Who makes the modules: own, or wasm-opt (Debian: apt-get install binaryen).",
    DefaultValueFactory = _ => "own",
};
var show = new Option<long?>("--show") { Description = "Prints the module of a seed, and does nothing else." };
var again = new Option<string?>("--again") { Description = "Runs a kept module again, and prints what both engines say." };
var fault = new Option<CompilerFault>("--fault") { Description = "A mistake for this compiler; ends with 1 where it is found." };
var faults = new Option<bool>("--faults") { Description = "Searches every such mistake, each for --minutes at most." };
var refusals = new Option<bool>("--refusals")
{
    Description = "Which mistakes the verifier refuses, in --count modules and in the hostile ones.",
};
var times = new Option<string[]>("--times")
{
    Description = "Times compiler and verifier on these modules.",
    AllowMultipleArgumentsPerToken = true,
};
var mutate = new Option<bool>("--mutate") { Description = "Mutates modules, texts and scripts instead, for --minutes." };
var corpus = new Option<string?>("--corpus") { Description = "With --mutate: a folder of further modules and scripts." };
var place = new Option<string?>("--place") { Description = "With --mutate: works in this process, and tells its seed there." };
var bites = new Option<bool>("--bites") { Description = "Runs each hostile module without the check that stops it." };
var stops = new Option<bool>("--stops") { Description = "How soon each hostile module stops that must be stopped." };
var hostile = new Option<string?>("--hostile") { Description = "Runs that hostile module in this process; ends with 1 where it gets through." };
var without = new Option<string>("--without") { Description = "With --hostile: without that check.", DefaultValueFactory = _ => "None" };
var file = new Option<string?>("--out") { Description = "Writes the results there, as Markdown." };
var root = new RootCommand("Runs generated modules on this engine and on V8, and compares.")
{
    from, count, minutes, keep, modes, source, show, again, fault, faults, mutate, corpus, place,
    bites, stops, hostile, without, refusals, times, file,
};
root.SetAction(async (result, cancel) =>
{
    var first = result.GetValue(from);
    var limit = result.GetValue(minutes) is > 0 and var given ? TimeSpan.FromMinutes(given) : TimeSpan.MaxValue;
    var many = result.GetValue(count) ?? (limit < TimeSpan.MaxValue ? long.MaxValue : 1000);
    var end = many < long.MaxValue - first ? first + many : long.MaxValue;
    if (result.GetValue(show) is { } one)
    {
        var module = ModuleGenerator.Make(one, isProfiled: false);
        if (result.GetValue(file) is { } shown) KeptModule.Write(shown, "jit", module);
        else Console.Write(module.Wat);
        return 0;
    }

    if (result.GetValue(mutate) && result.GetValue(place) is { } at)
        return MutationRun.Work(first, end, limit, result.GetValue(corpus), result.GetRequiredValue(keep), at) == 0 ? 0 : 1;

    if (result.GetValue(hostile) is { } attack) return HostileBites.RunOne(attack, result.GetRequiredValue(without));
    (string? text, bool isGood) = result.GetValue(stops) ? (HostileStops.Table(), true) : result.GetValue(bites) ? await HostileBites.TableAsync(cancel)
        : result.GetValue(refusals) ? (RefusalSearch.Tables((int)Math.Min(many, 1000), Console.Error.WriteLine), true)
        : result.GetValue(times) is { Length: > 0 } modules ? (VerifierTimes.Table(modules), true)
        : result.GetValue(faults)
        ? (await FaultSearch.TableAsync(Bounded(), Console.Error.WriteLine, cancel), true)
        : result.GetValue(mutate)
            ? await MutationRun.RunAsync(first, Bounded(), result.GetValue(corpus), result.GetRequiredValue(keep), cancel)
            : await CompareAsync();
    if (text is null) return 2;
    Console.WriteLine(text);
    if (result.GetValue(file) is { } to) File.WriteAllText(to, text);
    return isGood ? 0 : 1;

    TimeSpan Bounded() => limit < TimeSpan.MaxValue ? limit : TimeSpan.FromMinutes(10);

    async Task<(string? Text, bool IsGood)> CompareAsync()
    {
        var (other, reason) = await OtherEngine.StartAsync();
        if (other is null)
        {
            Console.Error.WriteLine(reason);
            return (null, false);
        }

        using var theirs = other;
        if (result.GetValue(again) is { } kept) return (await KeptModule.AgainAsync(kept, theirs), true);
        var isOwn = result.GetRequiredValue(source) == "own";
        if (!isOwn && WasmOptSource.Version() is null)
        {
            Console.Error.WriteLine("wasm-opt is not installed: apt-get install binaryen");
            return (null, false);
        }

        using var run = new ComparisonRun(
            theirs, isOwn ? new OwnSource() : new WasmOptSource(), result.GetRequiredValue(modes), result.GetValue(fault),
            result.GetRequiredValue(keep), result.GetValue(file));
        return await run.RunAsync(first, end, limit, cancel);
    }
});
return await root.Parse(args).InvokeAsync();
