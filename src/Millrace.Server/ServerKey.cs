using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Millrace.Server;

/// <summary>
/// The data folder's own secret, from which every token is derived: a token stays the same over restarts and is
/// stored nowhere.
/// </summary>
sealed class ServerKey
{
    const int Bytes = 32;
    const int TokenBytes = 18;
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    readonly byte[] _key;

    ServerKey(byte[] key) => _key = key;

    public string PagesToken => Token("pages");

    public string TokenOf(string flow) => Token("run/" + flow);

    /// <summary>Reads the key of a data folder, which is locked; makes one when there is none.</summary>
    public static ServerKey Open(string folder)
    {
        var path = Path.Combine(folder, "server.key");
        if (File.Exists(path) && File.ReadAllBytes(path) is { Length: Bytes } known) return new ServerKey(known);
        var key = RandomNumberGenerator.GetBytes(Bytes);
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        };
        using var file = new FileStream(path, options);
        file.Write(key);
        file.Flush(flushToDisk: true);
        return new ServerKey(key);
    }

    /// <summary>In a time that does not tell how much of it is right.</summary>
    public static bool IsSame(string given, string right) => CryptographicOperations.FixedTimeEquals(
        SHA256.HashData(Encoding.UTF8.GetBytes(given)), SHA256.HashData(Encoding.UTF8.GetBytes(right)));

    string Token(string purpose) => Base64Url.EncodeToString(
        HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(purpose)).AsSpan(0, TokenBytes));
}
