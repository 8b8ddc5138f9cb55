using System.Text.Json;

namespace Millrace.Guests.Tests.Corpus;

/// <summary>A place where naming the defect is right.</summary>
sealed record DefectPlace(string File, int Line, string Side);

/// <summary>One case of the corpus, as its README tells.</summary>
sealed record CorpusCase(
    string Id, string Title, string Body, string? Kind, string? File, int? Line, string? Side, bool NeedsModel, DefectPlace[]? Also)
{
    static readonly JsonSerializerOptions Snake = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public byte[] Patch { get; private init; } = [];

    public static CorpusCase Read(string folder)
    {
        var read = JsonSerializer.Deserialize<CorpusCase>(System.IO.File.ReadAllBytes(Path.Combine(folder, "case.json")), Snake)!;
        return read with { Patch = System.IO.File.ReadAllBytes(Path.Combine(folder, "change.patch")) };
    }

    /// <summary>Whether a place is the defect's: within three lines on its side, or one of the others listed.</summary>
    public bool IsAt(string file, int line, string side)
    {
        if (Kind is null) return false;
        var isNear = file == File && Math.Abs(line - Line!.Value) <= 3;
        // For a defect on the left a finding on the right near where the text stood counts too.
        if (isNear && (side == Side || Side == "LEFT")) return true;
        return (Also ?? []).Any(place => place.File == file && place.Line == line && place.Side == side);
    }
}
