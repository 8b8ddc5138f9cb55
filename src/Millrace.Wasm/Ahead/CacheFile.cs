using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Millrace.Wasm.Ahead;

/// <summary>
/// A file of the cache: the image, where the runtime looks for it, then its <see cref="ImageLinks"/>, then a footer
/// with what it is and a checksum over everything before. Whatever does not add up is no file of ours.
/// </summary>
static class CacheFile
{
    const int FooterBytes = 8 + (2 * sizeof(long)) + CacheKey.Bytes + SHA256.HashSizeInBytes;

    // Behind the image, where it stands in the way of nothing.
    static ReadOnlySpan<byte> Magic => "MILLRC\0\u0001"u8;

    public static void Write(Stream file, byte[] key, byte[] image, ImageLinks links)
    {
        using var content = new MemoryStream(image.Length + 4096);
        content.Write(image);
        using (var writer = new BinaryWriter(content, Encoding.UTF8, leaveOpen: true)) links.Write(writer);
        var linksLength = content.Length - image.Length;
        content.Write(Magic);
        Span<byte> lengths = stackalloc byte[2 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(lengths, image.Length);
        BinaryPrimitives.WriteInt64LittleEndian(lengths[sizeof(long)..], linksLength);
        content.Write(lengths);
        content.Write(key);
        content.Write(SHA256.HashData(content.GetBuffer().AsSpan(0, (int)content.Length)));
        content.WriteTo(file);
    }

    /// <summary>What stands in the file; null where it is not a whole file with that key.</summary>
    public static ImageLinks? Read(string path, ReadOnlySpan<byte> key)
    {
        try
        {
            return Read(File.ReadAllBytes(path), key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    static ImageLinks? Read(byte[] file, ReadOnlySpan<byte> key)
    {
        if (file.Length < FooterBytes) return null;
        var footer = file.AsSpan(file.Length - FooterBytes);
        var sum = footer[^SHA256.HashSizeInBytes..];
        var lengths = footer.Slice(Magic.Length, 2 * sizeof(long));
        var imageLength = BinaryPrimitives.ReadInt64LittleEndian(lengths);
        var linksLength = BinaryPrimitives.ReadInt64LittleEndian(lengths[sizeof(long)..]);
        var isOurs = footer.StartsWith(Magic)
            && footer.Slice(Magic.Length + lengths.Length, key.Length).SequenceEqual(key)
            && imageLength >= 0 && linksLength >= 0 && imageLength <= file.Length
            && imageLength + linksLength == file.Length - FooterBytes
            && SHA256.HashData(file.AsSpan(0, file.Length - sum.Length)).AsSpan().SequenceEqual(sum);
        if (!isOurs) return null;
        try
        {
            using var reader = new BinaryReader(new MemoryStream(file, (int)imageLength, (int)linksLength));
            return ImageLinks.Read(reader);
        }
        catch (EndOfStreamException)
        {
            return null;
        }
    }
}
