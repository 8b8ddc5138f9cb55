using System.Globalization;
using Millrace.Bench.Inference;
using Millrace.Bench.Programs;

namespace Millrace.Bench.Llama2;

/// <summary>llama.cpp in this process, one thread, on the same file; it adds up in an order of its own, so its text is not looked at.</summary>
sealed class LlamaProgram() : ProgramEngine("llama.cpp")
{
    const int BeginToken = 1;

    readonly Dictionary<string, LlamaApi> _models = [];

    public override Task<ProgramSample> RunAsync(Work work)
    {
        var (file, steps) = (work.NativeArguments![0], int.Parse(work.NativeArguments[^1], CultureInfo.InvariantCulture));
        if (!_models.TryGetValue(file, out var model)) _models[file] = model = new(file, contextTokens: 512);
        var began = Environment.CpuUsage.TotalTime;
        model.Read([BeginToken]);
        model.Write(steps - 1);
        return Task.FromResult(new ProgramSample(Environment.CpuUsage.TotalTime - began, ""));
    }

    public override void Dispose()
    {
        foreach (var model in _models.Values) model.Dispose();
    }
}
