using Millrace.Inference.Store;

namespace Millrace.Inference;

/// <summary>The folder that models are pulled into.</summary>
public static class ModelFolder
{
    const string Ending = ".gguf";

    /// <summary>The models of a folder: GGUF files, and those with adapters.</summary>
    public static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(folder)
        .Where(static path => Path.GetExtension(path) is Ending or AdaptedModel.Ending);

    /// <summary>The file of a model by its name; null where the folder has none.</summary>
    public static string? Find(string folder, string name)
    {
        string[] files = [Path.Combine(folder, name + Ending), Path.Combine(folder, name + AdaptedModel.Ending)];
        return Array.Find(files, File.Exists);
    }

    /// <summary>Bytes of all files of a model, as far as they are there.</summary>
    public static long BytesOf(string path)
    {
        try
        {
            if (!File.Exists(path)) return 0;
            if (!AdaptedModel.IsOne(path)) return FileAt(path).Length;
            var adapted = AdaptedModel.Read(path);
            return BytesOf(adapted.Model) + adapted.Adapters.Sum(static adapter => BytesOf(adapter.Path));
        }
        catch (InferenceException)
        {
            // Whoever loads it hears what is wrong with it.
            return 0;
        }
    }

    /// <summary>A model's file, which may be where a link leads: the caches of hubs are full of links.</summary>
    public static FileInfo FileAt(string path) => new(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path);

    /// <summary>
    /// Deletes a model and all that lies beside it, also one that is not whole yet. Of one with adapters only the file that
    /// names them is deleted.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The file's name without its ending.</param>
    /// <returns>How many bytes it had; null: there is none of that name.</returns>
    public static long? Remove(string folder, string name)
    {
        // A name, and no way to another folder.
        if (name.Length == 0 || name != Path.GetFileName(name)) return null;
        var file = Path.Combine(folder, name + Ending);
        string[] models = [file, file + PartialFile.Ending, Path.Combine(folder, name + AdaptedModel.Ending)];
        var there = models.Where(File.Exists).ToList();
        if (there.Count == 0) return null;
        var bytes = there.Sum(path => new FileInfo(path).Length);
        foreach (var path in models)
        {
            File.Delete(path);
            File.Delete(ModelOrigin.PathBeside(path));
        }

        return bytes;
    }
}
