using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Millrace.Inference.Tests;

/// <summary>Proofs too long for every day: run whole with MILLRACE_LONG=1, when each writes what it saw into <c>bench/</c>.</summary>
static class LongRun
{
    public static bool IsOn => Environment.GetEnvironmentVariable("MILLRACE_LONG") == "1";

    /// <summary>Long ones may take as long as they take.</summary>
    public static TimeSpan Timeout => IsOn ? TimeSpan.FromHours(12) : TimeSpan.FromMinutes(10);

    /// <summary>Writes a result; nothing in a short run.</summary>
    public static void Write(string file, string title, string filter, DateTimeOffset begun, params string[] lines)
    {
        if (!IsOn) return;
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Millrace.slnx"))) folder = folder.Parent;
        Assert.NotNull(folder);
        var version = typeof(InferenceClient).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
        var took = TimeProvider.System.GetUtcNow() - begun;
        string[] head =
        [
            $"# {title}", "",
            $"`MILLRACE_LONG=1 dotnet test tests/Millrace.Inference.Tests --filter {filter}` of version {version}, begun "
                + begun.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC,",
            string.Create(CultureInfo.InvariantCulture, $"{took.TotalMinutes:0} minutes on {RuntimeInformation.OSDescription}, ")
                + $"{Environment.ProcessorCount} cores, {RuntimeInformation.FrameworkDescription}.", "",
        ];
        File.WriteAllLines(Path.Combine(folder.FullName, "bench", file), [.. head, .. lines]);
    }
}
