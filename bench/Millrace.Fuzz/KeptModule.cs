using Millrace.Wasm;

namespace Millrace.Fuzz;

/// <summary>A module in a file: its text, behind comments that say the mode and the calls.</summary>
static class KeptModule
{
    public static void Write(string path, string mode, GeneratedModule module)
    {
        var calls = module.Calls.Select(call =>
            $";; {call.Name} {string.Join(' ', call.Arguments.Append("->").Concat(call.Results))}\n");
        File.WriteAllText(path, $";; mode {mode}\n{string.Concat(calls)}{module.Wat}\n");
    }

    /// <exception cref="InvalidDataException">It is no such file.</exception>
    public static (string Mode, GeneratedModule Module) Read(string path)
    {
        var lines = File.ReadAllLines(path);
        var head = lines.TakeWhile(line => line.StartsWith(";; ", StringComparison.Ordinal)).Select(line => line[3..]).ToList();
        if (head.Count == 0 || !head[0].StartsWith("mode ", StringComparison.Ordinal))
            throw new InvalidDataException($"{path} does not begin with its mode");
        var calls = head.Skip(1).Select(line => line.Split(' ')).Select(words => (Words: words, At: Array.IndexOf(words, "->")))
            .Select(call => new GeneratedCall(call.Words[0], [.. call.Words[1..call.At]], [.. call.Words[(call.At + 1)..]]));
        return (head[0]["mode ".Length..], new(string.Join('\n', lines.Skip(head.Count)), [.. calls], []));
    }

    /// <summary>Runs one again; what both engines say, line by line.</summary>
    public static async Task<string> AgainAsync(string path, OtherEngine theirs)
    {
        var (mode, module) = Read(path);
        var wasm = WatText.ToBinary(module.Wat);
        using var ours = new OwnEngine(mode);
        var here = ours.Run(wasm, module);
        var there = await theirs.RunAsync(wasm, module);
        return string.Join('\n', Enumerable.Range(0, Math.Max(here.Count, there.Count)).Select(i =>
            $"{here.ElementAtOrDefault(i)} | {there.ElementAtOrDefault(i)}"));
    }
}
