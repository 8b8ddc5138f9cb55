using System.Collections.Immutable;
using System.Text.Json;

namespace Millrace.Inference;

/// <summary>
/// A model with LoRA adapters, in a small file of its own: <c>NAME.lora</c>, JSON. Wherever a model's file is named, this one
/// can be; the weights are shared with whoever uses the model as it is.
/// </summary>
/// <param name="Model">The model's GGUF file, as a full path.</param>
/// <param name="Adapters">What is added to its weights.</param>
public sealed record AdaptedModel(string Model, ImmutableArray<ModelAdapter> Adapters)
{
    /// <summary>Of the files' names.</summary>
    public const string Ending = ".lora";

    const int BytesMax = 64 << 10;
    const int AdaptersMax = 16;

    static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Whether a path is that of such a file.</summary>
    public static bool IsOne(string path) => path.EndsWith(Ending, StringComparison.OrdinalIgnoreCase);

    /// <summary>The file that has a model's weights: its own, or that which the adapters are for.</summary>
    /// <exception cref="InferenceException">The file of an adapted model cannot be read.</exception>
    public static string WeightsOf(string path) => IsOne(path) ? Read(path).Model : path;

    /// <summary>Reads such a file. Paths in it that are not full are taken from its own folder.</summary>
    /// <exception cref="InferenceException">It is not there, or damaged: what, and what to do.</exception>
    public static AdaptedModel Read(string path)
    {
        var name = Path.GetFileName(path);
        try
        {
            if (new FileInfo(path).Length > BytesMax) throw Faulty(name, $"it has more than {BytesMax} bytes");
            var model = JsonSerializer.Deserialize<AdaptedModel>(File.ReadAllText(path), Json);
            if (model?.Model is null || model.Adapters.IsDefaultOrEmpty || model.Adapters.Any(static one => one?.Path is null))
                throw Faulty(name, "it needs a 'model' and 'adapters', each with a 'path' and a 'scale'");
            model.Check(name);
            var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            return new(
                Path.GetFullPath(model.Model, folder),
                [.. model.Adapters.Select(one => one with { Path = Path.GetFullPath(one.Path, folder) })]);
        }
        catch (JsonException e)
        {
            throw Faulty(name, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InferenceException("model-unavailable", $"{name} cannot be read: {e.Message}");
        }
    }

    /// <summary>Writes such a file, whole or not at all.</summary>
    /// <exception cref="InferenceException">There are too many adapters, or a scale is no number.</exception>
    public void Write(string path)
    {
        Check(Path.GetFileName(path));
        var partial = $"{path}.{Guid.NewGuid():N}";
        File.WriteAllText(partial, JsonSerializer.Serialize(this, Json));
        File.Move(partial, path, overwrite: true);
    }

    void Check(string name)
    {
        if (IsOne(Model)) throw Faulty(name, $"{Path.GetFileName(Model)} has adapters itself: name its model, and all adapters here");
        if (Adapters.Length > AdaptersMax) throw Faulty(name, $"it names {Adapters.Length} adapters; at most {AdaptersMax} are taken");
        if (Adapters.FirstOrDefault(static one => !float.IsFinite((float)one.Scale)) is { } wild)
            throw Faulty(name, $"the scale {wild.Scale} of {Path.GetFileName(wild.Path)} is no finite number");
    }

    static InferenceException Faulty(string name, string what) => new(
        "model-unavailable", $"{name} names no model with adapters: {what}; write it anew with `millrace models add`");
}

/// <summary>A LoRA adapter as a model uses it.</summary>
/// <param name="Path">Its GGUF file.</param>
/// <param name="Scale">How much of it is added; 1 is all, 0 nothing.</param>
public sealed record ModelAdapter(string Path, double Scale);
