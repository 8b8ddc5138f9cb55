using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.Bench.Kernels;
using Millrace.Bench.Programs;
using Millrace.Fuzz;
using Millrace.Inference;
using Millrace.Wasm;

namespace Millrace.Bench.Llama2;

/// <summary>The guest llama2 here, in V8, as C, and llama.cpp, in turn.</summary>
static partial class Llama2Bench
{
    const int Rounds = 3;
    const int Seed = 1;

    // Of a model whose token takes long.
    const int StepsMost = 192;

    const string Stories = "stories260K.gguf";

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-llama2-").FullName;
        var engines = new List<ProgramEngine> { new OwnPrograms("Millrace", new()) };
        var absent = new List<string>();
        try
        {
            await AddEnginesAsync(engines, absent, folder);
            var rows = new Dictionary<string, Rate[]>();
            foreach (var (name, file, most) in Models(plan, folder, absent))
            {
                plan.Screen.Note($"  {name}");
                rows.Add(name, await MeasureAsync(new(folder, file, most), engines, plan.Cancel));
            }

            return new("llama2 in WebAssembly", $"{How(absent)}\n\n{Table(rows, engines)}", [.. Summary(rows, engines)]);
        }
        finally
        {
            foreach (var engine in engines) engine.Dispose();
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task AddEnginesAsync(List<ProgramEngine> engines, List<string> absent, string folder)
    {
        if (CodeCache.Unavailable is { } why) absent.Add(why);
        else engines.Add(new OwnPrograms("crossgen2", new() { Cache = new(Path.Combine(folder, "code")), IsAheadOfTime = true }));
        var (node, reason) = await OtherEngine.FetchAsync();
        if (node is null) absent.Add(reason);
        else engines.Add(new NodePrograms(OtherEngine.Name, node));
        foreach (var options in (string[][])[["-O3"], ["-O3", "-march=native"]])
        {
            var program = $"llama2{string.Concat(options)}";
            if (await KernelProcess.OutputAsync("gcc",
                [.. options, "-std=gnu11", "-ffp-contract=off", "-fno-math-errno", KernelProcess.Shipped("llama2/llama2.c"), "-o", Path.Combine(folder, program), "-lm"]) is null)
            {
                absent.Add("no gcc is installed");
                return;
            }

            engines.Add(new NativePrograms(Native + string.Join(' ', options)));
        }

        if (NativeLibraries.LlamaFolder() is null) absent.Add("llama.cpp is not here");
        else engines.Add(new LlamaProgram());
    }

    const string Native = "gcc ";

    static IEnumerable<(string Name, string File, int StepsMost)> Models(BenchPlan plan, string folder, List<string> absent)
    {
        var stories = Path.Combine(plan.Models ?? "", Stories);
        if (File.Exists(stories)) yield return ("stories260K, F32", stories, 0);
        else absent.Add($"`--models` names no folder with {Stories}");
        foreach (var kind in Enum.GetValues<WeightKind>())
        {
            var file = Path.Combine(folder, $"{kind}.gguf");
            RandomModel.Write(file, ModelShape.Stories15M, kind, Seed);
            yield return ($"15M, {(kind == WeightKind.Q8 ? "Q8_0" : kind)}", file, StepsMost);
        }
    }

    static async Task<Rate[]> MeasureAsync(Teller teller, List<ProgramEngine> engines, CancellationToken cancel)
    {
        // Also what warms the first up.
        var told = await engines[0].RunAsync(teller.Work(engines[0], teller.StepsMost));
        var steps = int.Parse(StepsMatch().Match(told.Output).Groups[1].Value, CultureInfo.InvariantCulture);
        Samples[] all = [.. engines.Select(_ => new Samples())];
        for (var round = -1; round < Rounds; round++)
        {
            for (var i = 0; i < all.Length; i++)
            {
                cancel.ThrowIfCancellationRequested();
                // What one token takes is loading the model, which is not what is asked.
                var shortest = await engines[i].RunAsync(teller.Work(engines[i], 1));
                var whole = await engines[i].RunAsync(teller.Work(engines[i], steps));
                if (engines[i] is not LlamaProgram && Text(whole) != Text(told))
                    throw new InvalidDataException($"{engines[i].Name} tells\n{Text(whole)}, not\n{Text(told)}");
                if (round >= 0) all[i].Add(whole.Cpu - shortest.Cpu);
            }
        }

        return [.. all.Select(samples => new Rate((steps - 1) / samples.At(0.5).TotalSeconds))];
    }

    // Without the guest's last line, which tells its speed.
    static string Text(ProgramSample sample) => LastLine().Replace(sample.Output, "");

    static string How(List<string> absent)
    {
        var text = $"""
            `guests/llama2`, and `bench/llama2/llama2.c`, which does the same steps in the same order and tells the same text,
            on one thread each; *15M* has the shape of the published stories15M and random weights (seed {Seed}). Tokens per second of CPU
            time, the likeliest token each time, without the loading of the model: the time of a whole text less that of
            one token. In each of {Rounds} rounds all engines ran in turn; medians. *Millrace* is the JIT's code with all checks,
            *crossgen2* the same ahead of time. WebAssembly's vectors have 128 bits, as have those of `gcc -O3` for x64's
            baseline; `-march=native` and llama.cpp use what the machine has.
            """;
        return absent.Count == 0 ? text : $"{text}\nNot compared: {string.Join("; ", absent)}.";
    }

    static string Table(Dictionary<string, Rate[]> rows, List<ProgramEngine> engines)
    {
        var text = new StringBuilder("| tokens/s |");
        foreach (var engine in engines) text.Append(CultureInfo.InvariantCulture, $" {engine.Name} |");
        text.Append("\n|---|").Insert(text.Length, "---:|", engines.Count);
        foreach (var (name, rates) in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n| {name} |");
            foreach (var rate in rates) text.Append(CultureInfo.InvariantCulture, $" {rate.TokensPerSecond:#,0} |");
        }

        return text.ToString();
    }

    static IEnumerable<Figure> Summary(Dictionary<string, Rate[]> rows, List<ProgramEngine> engines)
    {
        for (var i = 1; i < engines.Count; i++)
        {
            var other = i;
            var ratios = rows.Select(row => $"{row.Key} {Samples.Number(row.Value[0].TokensPerSecond / row.Value[other].TokensPerSecond, "")}");
            yield return new($"speed of Millrace over {engines[i].Name}", string.Join("; ", ratios));
        }
    }

    [GeneratedRegex(@"(?:length|end) at (\d+), [\d.]+ tokens/s\n$")]
    private static partial Regex StepsMatch();

    [GeneratedRegex(@"prompt \d+ tokens .*\n$")]
    private static partial Regex LastLine();

    readonly record struct Rate(double TokensPerSecond);

    /// <summary>Runs on one model, of so many tokens; 0 of a whole story.</summary>
    sealed record Teller(string Folder, string File, int StepsMost)
    {
        public Work Work(ProgramEngine engine, int steps)
        {
            string[] words = ["-t", "0", "-n", steps.ToString(CultureInfo.InvariantCulture)];
            return new(Folder, "llama2", "/dev/null")
            {
                Module = KernelProcess.Shipped("llama2/llama2.wasm"),
                Native = Path.Combine(Folder, "llama2" + engine.Name[(engine.Name.IndexOf(' ') + 1)..].Replace(" ", "", StringComparison.Ordinal)),
                Arguments = [$"/lib/{Path.GetFileName(File)}", .. words],
                NativeArguments = [File, .. words],
                Library = Path.GetDirectoryName(File)!,
            };
        }
    }
}
