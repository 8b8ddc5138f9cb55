using System.Collections.Frozen;

namespace Millrace.Wasm.Binary;

/// <summary>Names for people: never needed to run a module, so whatever is wrong with them is ignored.</summary>
sealed class NameSection
{
    public static readonly NameSection Empty = new();

    /// <summary>The module's name.</summary>
    public string? Module { get; private set; }

    /// <summary>Functions by index.</summary>
    public FrozenDictionary<int, string> Functions { get; private set; } = FrozenDictionary<int, string>.Empty;

    /// <summary>Locals by function and index.</summary>
    public FrozenDictionary<(int Function, int Local), string> Locals { get; private set; } =
        FrozenDictionary<(int, int), string>.Empty;

    /// <summary>Reads the content of a section called <c>name</c>; empty when it is malformed.</summary>
    public static NameSection Read(ReadOnlySpan<byte> module, CodeRange content)
    {
        try
        {
            return ReadSubsections(module, content);
        }
        catch (MalformedException)
        {
            return Empty; // core appendix "Name Section": errors in it must not reject the module
        }
    }

    static NameSection ReadSubsections(ReadOnlySpan<byte> module, CodeRange content)
    {
        var names = new NameSection();
        var reader = new ByteReader(module, content.Start, content.End);
        while (!reader.AtEnd)
        {
            var id = reader.Byte();
            var length = reader.Length();
            var part = new ByteReader(module, reader.Position, reader.Position + length);
            reader.Position += length;
            if (id == 0) names.Module = part.Name();
            if (id == 1) names.Functions = Map(ref part).ToFrozenDictionary();
            if (id == 2) names.Locals = IndirectMap(ref part).ToFrozenDictionary();
        }
        return names;
    }

    static Dictionary<int, string> Map(ref ByteReader reader)
    {
        var map = new Dictionary<int, string>();
        var count = reader.Count(Limits.Names, "names");
        for (var i = 0; i < count; i++) map[reader.Index()] = reader.Name();
        return map;
    }

    static Dictionary<(int, int), string> IndirectMap(ref ByteReader reader)
    {
        var map = new Dictionary<(int, int), string>();
        var count = reader.Count(Limits.Names, "names");
        for (var i = 0; i < count; i++)
        {
            var function = reader.Index();
            foreach (var (local, name) in Map(ref reader)) map[(function, local)] = name;
            if (map.Count > Limits.Names) throw new MalformedException("too many names", reader.Position);
        }
        return map;
    }
}
