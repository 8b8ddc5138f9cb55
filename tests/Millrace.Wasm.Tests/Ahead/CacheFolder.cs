namespace Millrace.Wasm.Tests.Ahead;

/// <summary>A cache in a folder of its own, gone at the end.</summary>
sealed class CacheFolder : IDisposable
{
    public CacheFolder()
    {
        Skip.If(CodeCache.Unavailable is not null, CodeCache.Unavailable);
        Path = Directory.CreateTempSubdirectory("millrace-code-").FullName;
        Cache = new(Path);
    }

    public string Path { get; }

    public CodeCache Cache { get; }

    /// <summary>An engine that compiles everything ahead of time.</summary>
    public Engine Engine(EngineOptions? options = null) =>
        new((options ?? new()) with { Cache = Cache, IsAheadOfTime = true });

    /// <summary>An engine that takes what is there.</summary>
    public Engine Reader() => new(new() { Cache = Cache });

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
