using System.Runtime.CompilerServices;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Compilation;
using Millrace.Wasm.Validation;

namespace Millrace.Wasm.Tests.Compilation;

/// <summary>
/// Each <c>golden/*.wat</c> holds a module and, in comments behind it, the CIL it compiles to. <c>UPDATE_GOLDEN=1</c>
/// rewrites the comments: a change of the compiler then shows as a readable difference.
/// </summary>
public sealed class GoldenIlTests
{
    const string Mark = ";; IL";

    public static TheoryData<string> Files =>
        [.. Directory.GetFiles(Folder(), "*.wat").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_module_compiles_to_the_recorded_code(string file)
    {
        var path = Path.Combine(Folder(), file);
        var text = File.ReadAllText(path);
        var module = text.Split(Mark)[0];

        var lines = IlText.Of(Image(module)).Select(line => ";; " + line);
        var expected = $"{module.TrimEnd()}\n\n{Mark}\n{string.Join('\n', lines)}\n";

        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1") File.WriteAllText(path, expected);
        else Assert.Equal(expected, text);
    }

    static byte[] Image(string text)
    {
        using var engine = new Engine(new EngineOptions { IsPortable = false });
        var definition = Decoder.Decode(WatText.ToBinary(text));
        Validator.Validate(definition);
        return ModuleCompiler.ImageOf(engine, definition, new LinkedTypes(engine, definition))!;
    }

    static string Folder([CallerFilePath] string source = "") =>
        Path.Combine(Path.GetDirectoryName(source)!, "..", "golden");
}
