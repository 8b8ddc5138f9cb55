using System.Collections.Immutable;
using System.Reflection;
using System.Text;
using Millrace.Wasm;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Validation;
using Decoder = Millrace.Wasm.Binary.Decoder;

namespace Millrace.Fuzz.Mutation;

/// <summary>What mutations begin with: texts of modules, scripts, and the modules in binary form.</summary>
sealed class MutationCorpus
{
    const int GeneratedModules = 24;

    // What is larger takes its time and shows nothing else.
    const int TextMax = 60_000;

    /// <summary>Texts of modules.</summary>
    public ImmutableArray<string> Texts { get; }

    /// <summary>Scripts.</summary>
    public ImmutableArray<string> Scripts { get; }

    /// <summary>Modules in binary form.</summary>
    public ImmutableArray<BinaryModule> Modules { get; }

    MutationCorpus(List<string> texts, List<string> scripts, List<byte[]> binaries)
    {
        (Texts, Scripts) = ([.. texts], [.. scripts]);
        Modules = [.. binaries.Concat(texts.Select(ToBinary).OfType<byte[]>()).Select(BinaryModule.TryRead).OfType<BinaryModule>()];
    }

    /// <summary>
    /// The modules that are compiled into this program, generated ones, and where a folder is given the scripts and
    /// modules in and under it.
    /// </summary>
    public static MutationCorpus Of(string? folder)
    {
        var (texts, scripts, binaries) = (new List<string>(), new List<string>(), new List<byte[]>());
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames().Order(StringComparer.Ordinal))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            Add(name, bytes, texts, scripts, binaries);
        }

        for (var seed = 0; seed < GeneratedModules; seed++) texts.Add(ModuleGenerator.Make(seed, isProfiled: false).Wat);
        var files = folder is null ? [] : Directory.GetFiles(folder, "*.*", SearchOption.AllDirectories);
        Array.Sort(files, StringComparer.Ordinal);
        foreach (var file in files) Add(file, File.ReadAllBytes(file), texts, scripts, binaries);
        return new(texts, scripts, binaries);
    }

    static void Add(string name, byte[] bytes, List<string> texts, List<string> scripts, List<byte[]> binaries)
    {
        if (bytes.Length > TextMax) return;
        switch (Path.GetExtension(name))
        {
            case ".wasm": binaries.Add(bytes); break;
            case ".wat": texts.Add(Encoding.UTF8.GetString(bytes)); break;
            case ".wast":
                var script = Encoding.UTF8.GetString(bytes);
                scripts.Add(script);
                texts.AddRange(ModulesOf(script));
                break;
        }
    }

    // The forms of a script that are modules in plain text.
    static IEnumerable<string> ModulesOf(string script)
    {
        for (var at = script.IndexOf("\n(module", StringComparison.Ordinal); at >= 0;
            at = script.IndexOf("\n(module", at + 1, StringComparison.Ordinal))
        {
            var end = script.IndexOf("\n)", at + 1, StringComparison.Ordinal);
            if (end > 0) yield return script[(at + 1)..(end + 2)];
        }
    }

    static byte[]? ToBinary(string text)
    {
        try
        {
            return WatText.ToBinary(text);
        }
        catch (WasmException)
        {
            return null; // such as hostile ones, and parts of scripts
        }
    }
}

/// <summary>A module in binary form, with its sections and the places of its instructions.</summary>
/// <param name="Bytes">The module.</param>
/// <param name="Sections">Its sections, in order.</param>
/// <param name="Bodies">The code entries: locals and instructions.</param>
/// <param name="Instructions">Of each body, where its instructions begin.</param>
sealed record BinaryModule(
    byte[] Bytes, ImmutableArray<(byte Id, byte[] Content)> Sections, ImmutableArray<byte[]> Bodies,
    ImmutableArray<ImmutableArray<int>> Instructions)
{
    public const byte CodeSection = 10;

    /// <summary>Null where it is no valid module.</summary>
    public static BinaryModule? TryRead(byte[] bytes)
    {
        try
        {
            var definition = Decoder.Decode(bytes);
            Validator.Validate(definition);
            var (bodies, instructions) = (new List<byte[]>(), new List<ImmutableArray<int>>());
            if (!definition.CodeSection.IsEmpty)
            {
                var reader = new ByteReader(bytes, definition.CodeSection.Start, definition.CodeSection.End);
                for (var count = reader.U32(); count > 0; count--)
                {
                    var length = reader.Length();
                    var start = reader.Position;
                    bodies.Add(reader.Bytes(length).ToArray());
                    var function = definition.Functions.First(one => one.Import is null && one.Body.End == start + length);
                    instructions.Add(StartsOf(bytes, function.Body, start));
                }
            }

            return new(bytes, [.. SectionsOf(bytes)], [.. bodies], [.. instructions]);
        }
        catch (WasmException)
        {
            return null;
        }
    }

    static ImmutableArray<int> StartsOf(byte[] bytes, CodeRange body, int start)
    {
        var starts = ImmutableArray.CreateBuilder<int>();
        var reader = new InstructionReader(bytes, body);
        while (reader.Read()) starts.Add(reader.Offset - start);
        return starts.ToImmutable();
    }

    static List<(byte Id, byte[] Content)> SectionsOf(byte[] bytes)
    {
        var sections = new List<(byte, byte[])>();
        var reader = new ByteReader(bytes, 8, bytes.Length);
        while (!reader.AtEnd)
        {
            var id = reader.Byte();
            var length = reader.Length();
            sections.Add((id, reader.Bytes(length).ToArray()));
        }

        return sections;
    }
}
