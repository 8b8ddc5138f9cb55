using System.Text.Json;

namespace Millrace.Inference.Store;

/// <summary>Where a file came from, or is coming from: a small JSON file beside it.</summary>
/// <param name="Source">As the user asked for it.</param>
/// <param name="Url">Where it lies.</param>
/// <param name="Sha256">Its hash; null: not known.</param>
/// <param name="Bytes">Its size; null: not known.</param>
/// <param name="ETag">Its version there; null: none.</param>
sealed record ModelOrigin(string Source, string Url, string? Sha256, long? Bytes, string? ETag)
{
    static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
    };

    public static ModelOrigin Of(RemoteModelFile file) => new(file.Source, file.Url.AbsoluteUri, file.Sha256, file.Bytes, file.ETag);

    public static string PathBeside(string file) => file + ".json";

    public static ModelOrigin? Find(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<ModelOrigin>(File.ReadAllText(PathBeside(file)), Json);
        }
        catch (Exception e) when (e is FileNotFoundException or JsonException)
        {
            // Lost or damaged: nothing is known of the file, so nothing is concluded from it.
            return null;
        }
    }

    public void WriteBeside(string file) => File.WriteAllText(PathBeside(file), JsonSerializer.Serialize(this, Json));

    /// <summary>Whether both are the same bytes: by hash, else by address and version.</summary>
    public bool IsSameAs(ModelOrigin other) => Sha256 is not null || other.Sha256 is not null
        ? Sha256 == other.Sha256 && Bytes == other.Bytes
        : Url == other.Url && Bytes == other.Bytes && ETag == other.ETag && ETag?.StartsWith('"') == true;
}
