namespace Millrace.Wasm.Text.Modules;

/// <summary>
/// The annotations that this reader knows: <c>(@name "…")</c> and <c>(@custom "…" …)</c> (core specification,
/// appendix: custom sections and annotations). All others mean nothing to it.
/// </summary>
sealed class CustomAnnotations
{
    readonly TokenList _list;
    readonly ILookup<int, Annotation> _byToken;
    readonly HashSet<Annotation> _read = [];
    readonly List<(bool IsBefore, SectionPlace Place, string Name, byte[] Bytes)> _sections = [];
    readonly int _start;

    public CustomAnnotations(TokenList list, int start)
    {
        (_list, _start) = (list, start);
        _byToken = list.Annotations.ToLookup(static annotation => annotation.Before);
    }

    /// <summary>Reads the name that stands before a token, if one does.</summary>
    public string? TryReadName(int token, string kind)
    {
        string? name = null;
        foreach (var annotation in _byToken[token])
        {
            if (annotation.Id != "name") continue;
            if (name is not null) throw Fault(annotation, $"@name annotation: multiple {kind} names");
            var cursor = ContentsOf(annotation);
            name = cursor.Name();
            if (cursor.Kind != TokenKind.End) throw Fault(annotation, "@name annotation: unexpected token");
            _read.Add(annotation);
        }

        return name;
    }

    /// <summary>Reads the custom sections that stand before a token.</summary>
    public void ReadBetweenFields(int token)
    {
        foreach (var annotation in _byToken[token])
        {
            if (annotation.Id != "custom") continue;
            _read.Add(annotation);
            ReadCustom(annotation);
        }
    }

    void ReadCustom(Annotation annotation)
    {
        var cursor = ContentsOf(annotation);
        if (cursor.Kind != TokenKind.Text) throw Fault(annotation, "@custom annotation: missing section name");
        if (!StringText.IsUtf8(cursor.Span)) throw Fault(annotation, "@custom annotation: malformed UTF-8 encoding");
        var name = cursor.Name();
        var (isBefore, place) = cursor.Kind == TokenKind.Open
            ? ReadPlace(annotation, cursor)
            : (false, SectionPlace.Last);
        var contents = new System.Buffers.ArrayBufferWriter<byte>();
        for (; cursor.Kind == TokenKind.Text; cursor.Position++) StringText.Decode(cursor.Span, contents);
        if (cursor.Kind != TokenKind.End) throw Fault(annotation, "@custom annotation: unexpected token");
        _sections.Add((isBefore, place, name, contents.WrittenSpan.ToArray()));
    }

    (bool IsBefore, SectionPlace Place) ReadPlace(Annotation annotation, Cursor cursor)
    {
        var isBefore = cursor.IsForm("before");
        if (!isBefore && !cursor.IsForm("after")) throw Fault(annotation, "@custom annotation: malformed placement");
        cursor.Position += 2;
        var word = cursor.Kind == TokenKind.Keyword ? cursor.Span.ToString() : "";
        var isPlace = Enum.TryParse<SectionPlace>(word, ignoreCase: true, out var place)
            && (place != SectionPlace.First || isBefore) && (place != SectionPlace.Last || !isBefore);
        if (!isPlace) throw Fault(annotation, "@custom annotation: malformed section kind");
        cursor.Position++;
        cursor.Close();
        return (isBefore && place != SectionPlace.First, place);
    }

    /// <summary>Refuses names and custom sections that stand where there is no place for them.</summary>
    public void RefuseMisplaced(int end)
    {
        foreach (var annotation in _list.Annotations)
        {
            var isOurs = annotation.Before >= _start && annotation.Before <= end;
            if (isOurs && annotation.Id is "name" or "custom" && !_read.Contains(annotation))
                throw Fault(annotation, $"misplaced @{annotation.Id} annotation");
        }
    }

    public void WriteBefore(SectionPlace place, BinaryOutput module) => Write(place, isBefore: true, module);

    public void Write(SectionPlace place, BinaryOutput module) => Write(place, isBefore: false, module);

    void Write(SectionPlace place, bool isBefore, BinaryOutput module)
    {
        foreach (var section in _sections)
        {
            if (section.Place != place || section.IsBefore != isBefore) continue;
            var body = new BinaryOutput();
            body.Name(section.Name);
            body.Bytes(section.Bytes);
            module.Byte(0);
            module.Sized(body.Span);
        }
    }

    Cursor ContentsOf(Annotation annotation) => new(Lexer.Read(_list.Source, annotation.Start, annotation.End));

    MalformedException Fault(Annotation annotation, string reason) => _list.Source.Error(reason, annotation.Start);
}
