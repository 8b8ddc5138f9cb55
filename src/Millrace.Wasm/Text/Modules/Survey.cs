namespace Millrace.Wasm.Text.Modules;

/// <summary>The first look at a module: gives every definition its index, so that uses may stand before it.</summary>
sealed class Survey(Cursor cursor, ModuleScope scope, CustomAnnotations annotations)
{
    string? _firstDefinition;
    bool _hasStart;

    /// <summary>Surveys all fields up to the end or a closing parenthesis; answers where type fields stand, and where
    /// the others do.</summary>
    public (List<int> Types, List<int> Others) Run()
    {
        var types = new List<int>();
        var others = new List<int>();
        annotations.ReadBetweenFields(cursor.Position);
        while (cursor.Kind == TokenKind.Open)
        {
            var start = cursor.Position;
            (cursor.IsForm("type") || cursor.IsForm("rec") ? types : others).Add(start);
            SurveyField();
            cursor.Position = start;
            cursor.Skip();
            annotations.ReadBetweenFields(cursor.Position);
        }

        return (types, others);
    }

    void SurveyField()
    {
        if (FieldHead.TryOpenKind(cursor, out var kind)) SurveyDefinition(kind);
        else if (cursor.TryOpen("type")) scope.Types.Add(cursor.TryId(), cursor);
        else if (cursor.TryOpen("rec")) SurveyGroup();
        else if (cursor.TryOpen("import")) SurveyImport();
        else if (cursor.TryOpen("elem")) Add(scope.Elements);
        else if (cursor.TryOpen("data")) Add(scope.Datas);
        else if (cursor.TryOpen("start")) SurveyStart();
        else cursor.Open("export");
    }

    void Add(IndexSpace space)
    {
        var id = cursor.TryId();
        var index = space.Add(id, cursor);
        if (annotations.TryReadName(cursor.Position, space.Kind) is { } name) space.Rename(index, name);
    }

    void SurveyGroup()
    {
        while (cursor.IsForm("type"))
        {
            var start = cursor.Position;
            cursor.Open("type");
            scope.Types.Add(cursor.TryId(), cursor);
            cursor.Position = start;
            cursor.Skip();
        }
    }

    void SurveyStart()
    {
        if (_hasStart) throw cursor.Error("multiple start sections");
        _hasStart = true;
    }

    void SurveyImport()
    {
        RefuseLateImport();
        cursor.Name();
        cursor.Name();
        if (!FieldHead.TryOpenKind(cursor, out var kind))
        {
            if (cursor.Kind == TokenKind.Open) cursor.Position++;
            throw cursor.Unexpected();
        }

        Add(scope.Of(kind));
    }

    void SurveyDefinition(ExternKind kind)
    {
        var place = cursor.Position;
        Add(scope.Of(kind));
        cursor.Position = place;
        var head = FieldHead.Read(cursor);
        if (head.Import is not null) RefuseLateImport();
        else if (kind != ExternKind.Tag) _firstDefinition ??= kind.ToString().ToLowerInvariant();
        if (head.Import is null && kind is ExternKind.Table or ExternKind.Memory) SurveyInlineSegment(kind);
    }

    void SurveyInlineSegment(ExternKind kind)
    {
        var (word, space) = kind == ExternKind.Table ? ("elem", scope.Elements) : ("data", scope.Datas);
        while (cursor.Kind != TokenKind.Close)
        {
            if (cursor.IsForm(word)) space.Add(null, cursor);
            cursor.Skip();
        }
    }

    void RefuseLateImport()
    {
        if (_firstDefinition is not null) throw cursor.Error($"import after {_firstDefinition}");
    }
}
