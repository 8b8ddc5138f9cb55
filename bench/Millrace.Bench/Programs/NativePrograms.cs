using System.Diagnostics;
using System.Globalization;

namespace Millrace.Bench.Programs;

/// <summary>Runs the programs as the C compiler built them for this machine, a process each.</summary>
/// <param name="name">What results call it.</param>
sealed class NativePrograms(string name = "native") : ProgramEngine(name)
{
    // The shell's own clock of what its child took, user and system.
    const string Timed = """TIMEFORMAT="%U %S"; time "$0" "${@:2}" < "$1" """;

    public override async Task<ProgramSample> RunAsync(Work work)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", Timed, work.Native, work.Script, .. work.NativeArguments ?? work.Arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidDataException($"{work.Name} failed natively: {await errors}");
        var seconds = (await errors).Split().Where(word => word.Length > 0)
            .Sum(word => double.Parse(word, CultureInfo.InvariantCulture));
        return new(TimeSpan.FromSeconds(seconds), output);
    }

    public override void Dispose() { }
}
