using Millrace.Inference.Store;

namespace Millrace.Inference;

/// <summary>The folder that models are pulled into.</summary>
public static class ModelFolder
{
    const string Ending = ".gguf";

    /// <summary>A model's file, which may be where a link leads: the caches of hubs are full of links.</summary>
    public static FileInfo FileAt(string path) => new(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path);

    /// <summary>Deletes a model and all that lies beside it, also one that is not whole yet.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="name">The file's name without its ending.</param>
    /// <returns>How many bytes it had; null: there is none of that name.</returns>
    public static long? Remove(string folder, string name)
    {
        // A name, and no way to another folder.
        if (name.Length == 0 || name != Path.GetFileName(name)) return null;
        var file = Path.Combine(folder, name + Ending);
        string[] models = [file, file + PartialFile.Ending];
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
