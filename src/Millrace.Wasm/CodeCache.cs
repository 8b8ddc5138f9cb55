using System.Diagnostics;
using Millrace.Wasm.Ahead;

namespace Millrace.Wasm;

/// <summary>What compiling a module ahead of time came to.</summary>
/// <param name="Path">The file; empty where the module has no code.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Remaining">Functions that crossgen2 left to the JIT.</param>
/// <param name="WasThere">Whether the cache had it already.</param>
/// <param name="Time">What it took.</param>
public sealed record AheadReport(string Path, long Bytes, int Remaining, bool WasThere, TimeSpan Time);

/// <summary>
/// Machine code of modules on disk, compiled ahead of time by crossgen2, which comes with the engine. Files are named
/// by the module, this build of the engine, the exact runtime, the CPU's instruction sets and the engine's options; one
/// that is damaged, or another's, is made anew. Several processes may use one folder. Thread-safe.
/// </summary>
public sealed class CodeCache
{
    const string Suffix = ".dll";

    static readonly TimeSpan LeftOver = TimeSpan.FromHours(1);

    int _said;

    /// <summary>A cache in that folder, which must be this user's alone; it is made when something is put into it.
    /// </summary>
    public CodeCache(string folder) => Folder = Path.GetFullPath(folder);

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>Bytes of all files together; beyond it those unused longest go. Default 1 GiB.</summary>
    public long BytesMax { get; init; } = 1L << 30;

    /// <summary>What compiling one module may take. Default 3 minutes.</summary>
    public TimeSpan CompileTimeMax { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Address space of the process that compiles; for tests.</summary>
    internal long CompileAddressBytesMax { get; init; } = Crossgen.AddressBytesMax;

    /// <summary>Takes one sentence, once, where the cache is of no use.</summary>
    public Action<string> Notice { get; init; } = _ => { };

    /// <summary>Gives the time by which files are unused longest.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Why nothing can be compiled ahead of time here; null: it can be.</summary>
    public static string? Unavailable => Crossgen.Missing;

    /// <summary>Puts a module's machine code into the cache; when it is there already, nothing is done.</summary>
    /// <exception cref="AheadException">It cannot be compiled ahead of time, or the folder is not this user's alone.
    /// </exception>
    /// <exception cref="MalformedException">The bytes are not a module.</exception>
    /// <exception cref="InvalidException">The module breaks a typing rule.</exception>
    /// <exception cref="UnsupportedFeatureException">The module uses a feature that is not there.</exception>
    public AheadReport Compile(EngineOptions options, ReadOnlyMemory<byte> module, CancellationToken cancel = default)
    {
        var began = Stopwatch.GetTimestamp();
        if (WhyNot(options) is { } reason) throw new AheadException(reason);
        var key = CacheKey.Of(options, module);
        var path = PathOf(key);
        if (CacheFile.Read(path, key) is { } known) return Report(known.Remaining, wasThere: true);
        if (AheadCompiler.Compile(options, key, Folder, CompileTimeMax, CompileAddressBytesMax, cancel) is not { } made)
            return new("", 0, 0, WasThere: false, Stopwatch.GetElapsedTime(began));
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        File.Move(made.File, path, overwrite: true);
        Trim();
        return Report(made.Remaining, wasThere: false);

        AheadReport Report(int remaining, bool wasThere) =>
            new(path, new FileInfo(path).Length, remaining, wasThere, Stopwatch.GetElapsedTime(began));
    }

    /// <summary>The image of a module; null where the cache has none.</summary>
    internal LoadedImage? Find(EngineOptions options, ReadOnlyMemory<byte> module)
    {
        // Nothing was ever compiled: there is nothing to say.
        if (!Directory.Exists(Folder)) return null;
        if (WhyNot(options) is { } reason)
        {
            if (Interlocked.Exchange(ref _said, 1) == 0) Notice(reason);
            return null;
        }
        var key = CacheKey.Of(options, module);
        var path = PathOf(key);
        var image = LoadedImages.Find(key, path, out var isNew);
        if (isNew && image is not null) Touch(path);
        return image;
    }

    string? WhyNot(EngineOptions options)
    {
        if (Unavailable is { } missing) return missing;
        return options.IsPortable
            ? "a portable engine compiles nothing ahead of time" : PrivateFolder.Prepare(Folder);
    }

    string PathOf(CacheKey key) => Path.Combine(Folder, key.Name + Suffix);

    void Touch(string path)
    {
        try
        {
            File.SetLastWriteTimeUtc(path, Time.GetUtcNow().UtcDateTime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It may not be written here, or another process has just removed it; it is loaded all the same.
        }
    }

    // A file that is in use stays readable to whoever has loaded it.
    void Trim()
    {
        try
        {
            var folder = new DirectoryInfo(Folder);
            var old = Time.GetUtcNow().UtcDateTime - LeftOver;
            // Of processes that ended in between.
            foreach (var left in folder.GetDirectories().Where(one => one.LastWriteTimeUtc < old)) left.Delete(true);
            foreach (var left in folder.GetFiles("*" + AheadCompiler.Suffix).Where(one => one.LastWriteTimeUtc < old))
                left.Delete();
            var files = folder.GetFiles("*" + Suffix).OrderByDescending(file => file.LastWriteTimeUtc).ToArray();
            var sum = 0L;
            foreach (var file in files)
                if ((sum += file.Length) > BytesMax && file != files[0]) file.Delete();
        }
        catch (IOException)
        {
            // Two processes tidy up at a time: the next one does the rest.
        }
    }
}
