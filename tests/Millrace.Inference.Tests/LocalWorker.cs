using System.Collections.Immutable;

namespace Millrace.Inference.Tests;

/// <summary>A client with a worker of this build, for one test.</summary>
sealed class LocalWorker : IAsyncDisposable
{
    // Generous: machines are busy.
    readonly CancellationTokenSource _timeout = new(LongRun.Timeout);

    public LocalWorker(InferenceOptions? options = null) =>
        Client = new(options ?? new(Command));

    public InferenceClient Client { get; }

    public CancellationToken Timeout => _timeout.Token;

    public static ImmutableArray<string> Command =>
        ["dotnet", Path.Combine(AppContext.BaseDirectory, "millrace.dll"), "inference-worker"];

    /// <summary>The model that ships. Skips the test where there is no library.</summary>
    public static string Tiny
    {
        get
        {
            NeedsLibrary();
            return Path.Combine(AppContext.BaseDirectory, "models", "tinychat-q8_0.gguf");
        }
    }

    public static void NeedsLibrary() => Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);

    /// <summary>A test model. Skips the test where the environment names none, or there is no library.</summary>
    public static string Given(string file)
    {
        NeedsLibrary();
        var folder = Environment.GetEnvironmentVariable("MILLRACE_MODELS");
        Skip.If(string.IsNullOrEmpty(folder), "MILLRACE_MODELS names no folder of test models");
        var path = Path.Combine(folder!, file);
        Assert.True(File.Exists(path), $"MILLRACE_MODELS has no {file}");
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        _timeout.Dispose();
    }
}
