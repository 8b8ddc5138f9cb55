using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Millrace.Bench.Kernels;

namespace Millrace.Bench.Programs;

/// <summary>Runs the programs in V8, in a Node of another process that answers a line with a line.</summary>
sealed class NodePrograms : ProgramEngine
{
    readonly Process _process;
    readonly string _output;

    public NodePrograms(string name, string program) : base(name)
    {
        _output = Path.GetTempFileName();
        // Without that option, Node's WASI has been seen to crash after some instances.
        string[] arguments = ["--no-warnings", "--no-turbo-fast-api-calls", KernelProcess.Shipped("programs/programs.mjs"), _output];
        _process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    public override async Task<ProgramSample?> RunFreshAsync(Work work, int number) =>
        await AskAsync(work, number + 1);

    public override Task<ProgramSample> RunAsync(Work work) => AskAsync(work, 0);

    public override void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit(1000);
        _process.Dispose();
        File.Delete(_output);
    }

    async Task<ProgramSample> AskAsync(Work work, int number)
    {
        var line = JsonSerializer.Serialize(
            new { work.Module, work.Script, number, work.Arguments, work.Library, work.Environment }, JsonSerializerOptions.Web);
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
        var answer = await _process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException($"{Name} ended; its last words stand above");
        var cpu = TimeSpan.FromMicroseconds(long.Parse(answer, CultureInfo.InvariantCulture) / 1000.0);
        return new(cpu, await File.ReadAllTextAsync(_output));
    }
}
