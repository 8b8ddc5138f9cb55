using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Millrace.Wasm.Ahead;

/// <summary>
/// A file of the cache: the image, where the runtime looks for it; the module it was made of and the settings
/// (<see cref="CacheKey"/>); its <see cref="ImageLinks"/>; then a footer with the lengths of these and the
/// <see cref="Fingerprint"/> of everything before. Whatever does not add up is no file of ours.
/// </summary>
static class CacheFile
{
    /// <summary>Magic number, four lengths, the fingerprint.</summary>
    public const int FooterBytes = sizeof(ulong) + (4 * sizeof(int)) + (4 * sizeof(ulong));

    const ulong Magic = 0x0002_4352_4C4C_494D; // "MILLRC", version 2

    // The file is read in pieces: to touch memory for the first time costs more than all else that is done with it.
    const int PieceBytes = 1 << 16;

    public static void Write(Stream file, CacheKey key, byte[] image, ImageLinks links)
    {
        var content = new MemoryStream();
        using var writer = new BinaryWriter(content, Encoding.UTF8);
        links.Write(writer);
        var linked = content.ToArray();
        content.SetLength(0);
        var sum = new Fingerprint();
        Write(image);
        Write(key.Module.Span);
        Write(key.Settings);
        Write(linked);
        writer.Write(Magic);
        writer.Write(image.Length);
        writer.Write(key.Module.Length);
        writer.Write(key.Settings.Length);
        writer.Write(linked.Length);
        writer.Flush();
        sum.Add(content.ToArray());
        sum.Write(writer);
        writer.Flush();
        content.WriteTo(file);

        void Write(ReadOnlySpan<byte> part)
        {
            Add(ref sum, part);
            file.Write(part);
        }
    }

    /// <summary>What stands in the file; null where it is not a whole file with that key.</summary>
    public static ImageLinks? Read(string path, CacheKey key)
    {
        try
        {
            using var file = File.OpenHandle(path);
            return Read(file, key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    static ImageLinks? Read(SafeFileHandle file, CacheKey key)
    {
        var length = RandomAccess.GetLength(file);
        if (length is < FooterBytes or > int.MaxValue) return null;
        var bytes = Bytes(file, (int)length - FooterBytes, FooterBytes);
        using var footer = new BinaryReader(new MemoryStream(bytes));
        var isOurs = footer.ReadUInt64() == Magic;
        var (image, module) = (footer.ReadInt32(), footer.ReadInt32());
        var (settings, links) = (footer.ReadInt32(), footer.ReadInt32());
        var written = Fingerprint.Read(footer);
        isOurs &= image >= 0 && links >= 0 && module == key.Module.Length && settings == key.Settings.Length
            && (long)image + module + settings + links + FooterBytes == length;
        if (!isOurs) return null;

        var sum = new Fingerprint();
        isOurs = IsThere(file, 0, image, default, ref sum)
            && IsThere(file, image, module, key.Module.Span, ref sum)
            && IsThere(file, image + module, settings, key.Settings, ref sum);
        var linked = Bytes(file, image + module + settings, links);
        Add(ref sum, linked);
        sum.Add(bytes.AsSpan(0, FooterBytes - (4 * sizeof(ulong))));
        if (!isOurs || !sum.Equals(written)) return null;
        try
        {
            using var reader = new BinaryReader(new MemoryStream(linked));
            return ImageLinks.Read(reader);
        }
        catch (EndOfStreamException)
        {
            return null;
        }
    }

    // Adds a part to the sum; false where it is not what it should be.
    static bool IsThere(SafeFileHandle file, int from, int length, ReadOnlySpan<byte> expected, ref Fingerprint sum)
    {
        var buffer = new byte[Math.Min(PieceBytes, length)];
        for (var at = 0; at < length; at += PieceBytes)
        {
            var piece = buffer.AsSpan(0, Math.Min(PieceBytes, length - at));
            Fill(file, piece, from + at);
            if (!expected.IsEmpty && !piece.SequenceEqual(expected.Slice(at, piece.Length))) return false;
            sum.Add(piece);
        }
        return true;
    }

    static void Add(ref Fingerprint sum, ReadOnlySpan<byte> part)
    {
        for (var at = 0; at < part.Length; at += PieceBytes)
            sum.Add(part.Slice(at, Math.Min(PieceBytes, part.Length - at)));
    }

    static byte[] Bytes(SafeFileHandle file, int from, int length)
    {
        var bytes = new byte[length];
        Fill(file, bytes, from);
        return bytes;
    }

    static void Fill(SafeFileHandle file, Span<byte> bytes, long from)
    {
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(file, bytes, from);
            if (read == 0) throw new EndOfStreamException();
            bytes = bytes[read..];
            from += read;
        }
    }
}
