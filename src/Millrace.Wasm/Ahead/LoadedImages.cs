using System.Collections.Concurrent;
using Millrace.Wasm.Compilation;

namespace Millrace.Wasm.Ahead;

/// <summary>An image with machine code, and what it takes to link it.</summary>
sealed record LoadedImage(GuestImage Image, ImageLinks Links);

/// <summary>
/// The images of the cache that this process has loaded. They stay until it ends: the runtime uses machine code of a
/// file only in contexts that are not collected, and of each file once. So all engines share them.
/// </summary>
static class LoadedImages
{
    static readonly ConcurrentDictionary<string, LoadedImage> ByKey = [];
    static readonly Lock Gate = new();

    /// <summary>The image of that key, if this process has it.</summary>
    public static LoadedImage? Find(string key) => ByKey.GetValueOrDefault(key);

    /// <summary>Loads the image of that key; null: the file is not what it should be.</summary>
    public static LoadedImage? Load(string key, string path, ReadOnlySpan<byte> hash)
    {
        lock (Gate)
        {
            if (ByKey.TryGetValue(key, out var loaded)) return loaded;
            if (CacheFile.Read(path, hash) is not { } links) return null;
            try
            {
                return ByKey[key] = new(new GuestImage(path), links);
            }
            catch (Exception e) when (e is BadImageFormatException or IOException)
            {
                return null;
            }
        }
    }
}
