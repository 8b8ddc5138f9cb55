using System.CommandLine;
using Millrace.Bench;
using Millrace.Cli;

var screen = Screen.OfProcess();
var only = new Option<string[]>("--only")
{
    Description = "Measures these alone.",
    AllowMultipleArgumentsPerToken = true,
};
only.AcceptOnlyFromAmong([.. Bench.All.Select(bench => bench.Name)]);
var samples = new Option<int>("--samples")
{
    Description = "Samples of webhooks and reviews.",
    DefaultValueFactory = _ => 200,
};
var reviews = new Option<int>("--reviews")
{
    Description = "Reviews before memory is read.",
    DefaultValueFactory = _ => 1000,
};
var file = new Option<string?>("--out") { Description = "Writes the results there, as Markdown; with --only, their sections alone." };
var folder = new Option<string?>("--folder") { Description = "Where data folders are made: the disk to measure." };
var models = new Option<string?>("--models") { Description = "A folder of test models, which local models are measured with." };
var root = new RootCommand("Measures Millrace beside what else would do the job.")
{
    only, samples, reviews, file, folder, models,
};
root.SetAction(async (result, cancel) =>
{
    var names = result.GetValue(only) is { Length: > 0 } chosen ? chosen : [.. Bench.All.Select(bench => bench.Name)];
    var plan = new BenchPlan(
        screen, result.GetValue(samples), result.GetValue(reviews),
        Path.GetFullPath(result.GetValue(folder) ?? Path.GetTempPath()),
        Path.GetDirectoryName(Path.GetFullPath(result.GetValue(file) ?? "x"))!, cancel)
    {
        Models = result.GetValue(models),
    };
    var report = await Report.BeginAsync(string.Join(' ', args));
    foreach (var bench in Bench.All.Where(bench => names.Contains(bench.Name)))
    {
        screen.Note($"measuring {bench.Name}");
        report.Add(await bench.Run(plan));
    }
    var text = report.End();
    screen.Result(text);
    if (result.GetValue(file) is not { } path) return;
    var isPart = names.Length < Bench.All.Length && File.Exists(path);
    await File.WriteAllTextAsync(path, isPart ? report.Within(await File.ReadAllTextAsync(path, cancel)) : text, cancel);
});
return await root.Parse(args).InvokeAsync(new() { EnableDefaultExceptionHandler = false });
