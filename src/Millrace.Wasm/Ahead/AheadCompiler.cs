using System.Collections.Immutable;
using System.Security.Cryptography;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Compilation;
using Millrace.Wasm.Validation;

namespace Millrace.Wasm.Ahead;

/// <summary>A module to a file of the cache: CIL, then machine code by crossgen2.</summary>
static class AheadCompiler
{
    /// <summary>How names of files end that are not at their place yet.</summary>
    public const string Suffix = ".made";

    /// <summary>A file that is ready to be moved to its place.</summary>
    public readonly record struct Made(string File, int Remaining);

    /// <summary>Compiles a module into a new file within a folder; null: it has no code.</summary>
    /// <exception cref="AheadException">crossgen2 failed.</exception>
    public static Made? Compile(
        EngineOptions options, CacheKey key, string folder, TimeSpan time, long addressBytes, CancellationToken cancel)
    {
        var definition = Decoder.Decode(key.Module);
        Validator.Validate(definition);
        using var engine = new Engine(options);
        if (ModuleCompiler.CompileAhead(engine, definition, Guid.ParseExact(key.Name.AsSpan(0, 32), "N")) is not var (image, links))
            return null;
        var name = Path.Combine(folder, $"{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}{Suffix}");
        var work = Directory.CreateDirectory(Path.ChangeExtension(name, ".work")).FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(work, "guest.dll"), image);
            var remaining = Crossgen.Compile(work, "guest.dll", "code.dll", time, addressBytes, cancel);
            var code = File.ReadAllBytes(Path.Combine(work, "code.dll"));
            NoRejit.Mark(code);
            using (var file = new FileStream(name, FileMode.CreateNew, FileAccess.Write))
                CacheFile.Write(file, key, code, links with { Remaining = remaining });
            return new(name, remaining);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>The types, each once, of functions that the host calls or that call it.</summary>
    public static ImmutableArray<int> CrossingsOf(ModuleDefinition definition, LinkedTypes types) =>
    [
        .. ModuleCompiler.Crossing(definition).Select(function => function.TypeIndex).DistinctBy(types.SignatureOf),
    ];
}
