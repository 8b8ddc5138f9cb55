using System.Text;

namespace Millrace.Server.Control;

/// <summary>Where the control socket of a data folder lies.</summary>
static class ControlSocket
{
    /// <summary>What a Unix socket's address holds (sun_path) less its closing NUL.</summary>
    const int PathBytesMax = 107;

    /// <exception cref="ServerException">The path is too long for a socket.</exception>
    public static string PathIn(string folder)
    {
        var path = Path.Combine(Path.GetFullPath(folder), "control.sock");
        if (Encoding.UTF8.GetByteCount(path) > PathBytesMax)
        {
            throw new ServerException($"The data folder's path is too long: '{path}' has more than {PathBytesMax} "
                + "bytes. Choose another folder with --data.");
        }
        return path;
    }
}
