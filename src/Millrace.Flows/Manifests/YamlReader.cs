using System.Collections.Immutable;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Millrace.Flows.Manifests;

/// <summary>
/// Text → tree. YamlDotNet's event parser is used rather than its object mapper, because every fault must name its
/// line and column. Anchors, aliases, tags and further documents are refused: a manifest needs none of them, and
/// aliases let a short text grow without end.
/// </summary>
sealed class YamlReader
{
    const int BytesMax = 256 << 10;
    const int DepthMax = 24;

    static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    readonly string _file;
    readonly Parser _parser;

    YamlReader(string file, string text)
    {
        _file = file;
        _parser = new Parser(new StringReader(text));
    }

    public static YamlMap Read(string file, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > BytesMax) throw Fault(file, $"a manifest has at most {BytesMax >> 10} KiB");
        string text;
        try
        {
            text = Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Fault(file, "the text is not UTF-8");
        }
        if (text.Contains('\0')) throw Fault(file, "the text contains a NUL character");
        return new YamlReader(file, text).ReadDocument();
    }

    YamlMap ReadDocument()
    {
        try
        {
            Next<StreamStart>();
            if (Peek() is StreamEnd) throw Fault(_file, "the manifest is empty");
            Next<DocumentStart>();
            var root = ReadNode(0);
            Next<DocumentEnd>();
            if (Peek() is not StreamEnd) throw At(Peek()).Problem("a manifest is a single document");
            return root as YamlMap ?? throw root.At.Problem($"a manifest is a map, but this is {root.Kind}");
        }
        catch (YamlException e)
        {
            throw new ManifestException(_file, (int)e.Start.Line, (int)e.Start.Column, $"not valid YAML: {e.Message}");
        }
        // The scanner of YamlDotNet 16.3.0 throws these instead of a YamlException for some malformed texts.
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or FormatException
            or IndexOutOfRangeException or OverflowException)
        {
            throw Fault(_file, "not valid YAML");
        }
    }

    YamlNode ReadNode(int depth)
    {
        var at = At(Peek());
        if (depth > DepthMax) throw at.Problem($"nested deeper than {DepthMax} levels");
        var node = Peek();
        if (node is AnchorAlias || node is NodeEvent { Anchor.IsEmpty: false })
            throw at.Problem("anchors and aliases are not allowed in a manifest");
        if (node is NodeEvent { Tag.IsEmpty: false }) throw at.Problem("tags are not allowed in a manifest");

        return node switch
        {
            Scalar => ReadScalar(),
            SequenceStart => ReadList(at, depth),
            MappingStart => ReadMap(at, depth),
            _ => throw at.Problem("a value is missing here"),
        };
    }

    YamlScalar ReadScalar()
    {
        var scalar = Next<Scalar>();
        return new YamlScalar(At(scalar), scalar.Value, scalar.Style == ScalarStyle.Plain);
    }

    YamlList ReadList(Place at, int depth)
    {
        Next<SequenceStart>();
        var items = ImmutableArray.CreateBuilder<YamlNode>();
        while (Peek() is not SequenceEnd) items.Add(ReadNode(depth + 1));
        Next<SequenceEnd>();
        return new YamlList(at, items.ToImmutable());
    }

    YamlMap ReadMap(Place at, int depth)
    {
        Next<MappingStart>();
        var entries = ImmutableArray.CreateBuilder<YamlEntry>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (Peek() is not MappingEnd)
        {
            if (ReadNode(depth + 1) is not YamlScalar key) throw at.Problem("a key must be a single value");
            if (!seen.Add(key.Text)) throw key.At.Problem($"the key '{key.Text}' stands here twice");
            entries.Add(new YamlEntry(key, ReadNode(depth + 1)));
        }
        Next<MappingEnd>();
        return new YamlMap(at, entries.ToImmutable());
    }

    ParsingEvent Peek()
    {
        if (_parser.Current is null && !_parser.MoveNext()) throw Fault(_file, "the text ends too early");
        return _parser.Current!;
    }

    T Next<T>() where T : ParsingEvent
    {
        var current = Peek();
        if (current is not T wanted) throw At(current).Problem("not valid YAML");
        _parser.MoveNext();
        return wanted;
    }

    Place At(ParsingEvent node) => new(_file, (int)node.Start.Line, (int)node.Start.Column);

    static ManifestException Fault(string file, string problem) => new(file, 0, 0, problem);
}
