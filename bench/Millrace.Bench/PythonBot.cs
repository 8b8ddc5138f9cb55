using System.Diagnostics;

namespace Millrace.Bench;

/// <summary>The Python bot: one process for each event.</summary>
/// <param name="interpreter">The interpreter itself: what stands on the path may be a script that looks for it.</param>
sealed class PythonBot(string interpreter)
{
    /// <summary>Finds the interpreter.</summary>
    public static async Task<PythonBot> FindAsync()
    {
        var start = new ProcessStartInfo("python3", ["-c", "import os, sys; print(os.path.realpath(sys.executable))"])
        {
            RedirectStandardOutput = true,
        };
        using var python = Process.Start(start)!;
        var path = await python.StandardOutput.ReadToEndAsync();
        await python.WaitForExitAsync();
        return new(path.Trim());
    }

    public string Interpreter => Path.GetFileName(interpreter);

    /// <summary>Sends one event; ends with the process. Answers when it began, and how long starting took.</summary>
    public async Task<(long Began, TimeSpan Starting)> RunAsync(Site site, SignedEvent signed)
    {
        var start = new ProcessStartInfo(
            interpreter, ["-S", "-E", Path.Combine(AppContext.BaseDirectory, "bot.py"), signed.Signature])
        {
            RedirectStandardInput = true,
        };
        start.Environment.Clear();
        start.Environment["WEBHOOK_SECRET"] = Site.Secret;
        start.Environment["GITHUB_URL"] = site.GitHub.Address.ToString().TrimEnd('/');
        start.Environment["GITHUB_TOKEN"] = site.GitHub.Token;
        start.Environment["OPENAI_BASE_URL"] = site.Model.BaseUrl;
        start.Environment["OPENAI_MODEL"] = InstantModel.Name;
        var began = Stopwatch.GetTimestamp();
        using var bot = Process.Start(start)!;
        var starting = Stopwatch.GetElapsedTime(began);
        await bot.StandardInput.BaseStream.WriteAsync(signed.Body);
        bot.StandardInput.Close();
        await bot.WaitForExitAsync();
        if (bot.ExitCode != 0) throw new InvalidOperationException($"the bot ended with {bot.ExitCode}");
        return (began, starting);
    }
}
