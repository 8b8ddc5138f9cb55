using System.Globalization;
using System.Runtime.InteropServices;

namespace Millrace.Wasm.Ahead;

/// <summary>A folder that nobody but this user can write to or read from: what lies in it is run.</summary>
static unsafe partial class PrivateFolder
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    const int AtCurrentFolder = -100;
    const uint WantsOwner = 0x8; // STATX_UID

    /// <summary>Makes it if it is not there. Answers why it is not to be used; null: it is.</summary>
    public static string? Prepare(string path)
    {
        if (!OperatingSystem.IsLinux()) return "compiled modules are kept on Linux only";
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
            if (OwnerOf(path) != UserId()) return $"{path} belongs to another user";
            var mode = File.GetUnixFileMode(path);
            return (mode & ~OwnerOnly) == 0 ? null : string.Create(CultureInfo.InvariantCulture,
                $"others may use {path} (its mode is {Convert.ToString((int)mode, 8)}); make it 700");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    // The one struct of the kind that is the same on every machine: the owner stands at byte 20.
    static uint OwnerOf(string path)
    {
        var status = stackalloc byte[256];
        return Status(AtCurrentFolder, path, 0, WantsOwner, status) == 0
            ? *(uint*)(status + 20)
            : throw new IOException($"{path}: its owner cannot be told");
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Status(int folder, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint UserId();
}
