using Millrace.Wasm.Compilation;

namespace Millrace.Wasm.Ahead;

/// <summary>An image with machine code, what it takes to link it, and what it was made of.</summary>
sealed record LoadedImage(GuestImage Image, ImageLinks Links, CacheKey Key);

/// <summary>
/// The images of the cache that this process has loaded. They stay until it ends: the runtime uses machine code of a
/// file only in contexts that are not collected, and of each file once. So all engines share them.
/// </summary>
static class LoadedImages
{
    static readonly Dictionary<string, LoadedImage> ByPath = [];
    static readonly Lock Gate = new();

    /// <summary>The image of that key in that file, loaded now or before; null: the file is not what it should be.
    /// </summary>
    /// <param name="key">What it must be made of.</param>
    /// <param name="path">The file.</param>
    /// <param name="isNew">Whether it was loaded now.</param>
    public static LoadedImage? Find(CacheKey key, string path, out bool isNew)
    {
        lock (Gate)
        {
            isNew = !ByPath.TryGetValue(path, out var loaded);
            if (loaded is not null) return loaded.Key.IsSame(key) ? loaded : null;
            if (!File.Exists(path) || CacheFile.Read(path, key) is not { } links) return null;
            try
            {
                return ByPath[path] = new(new GuestImage(path), links, key);
            }
            catch (Exception e) when (e is BadImageFormatException or IOException)
            {
                return null;
            }
        }
    }
}
