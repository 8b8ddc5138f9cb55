using System.Runtime.InteropServices;
using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Posix;

/// <summary>Linux' error numbers in preview 1's.</summary>
static class PosixErrno
{
    const int Eintr = 4;
    const int Eagain = 11;
    const int Exdev = 18;

    // A rename elsewhere in the tree makes the kernel give up a walk with `..` and ask for another try.
    const int TriesMax = 64;

    static readonly Dictionary<int, Errno> Numbers = new (int Linux, Errno Wasi)[]
    {
        (1, Errno.Perm), (2, Errno.Noent), (Eintr, Errno.Intr), (5, Errno.Io), (6, Errno.Nxio), (9, Errno.Badf),
        (Eagain, Errno.Again), (12, Errno.Nomem), (13, Errno.Acces), (14, Errno.Fault), (16, Errno.Busy),
        (17, Errno.Exist), (Exdev, Errno.Xdev), (19, Errno.Nodev), (20, Errno.Notdir), (21, Errno.Isdir),
        (22, Errno.Inval), (23, Errno.Nfile), (24, Errno.Mfile), (26, Errno.Txtbsy), (27, Errno.Fbig),
        (28, Errno.Nospc), (29, Errno.Spipe), (30, Errno.Rofs), (31, Errno.Mlink), (32, Errno.Pipe),
        (36, Errno.Nametoolong), (38, Errno.Nosys), (39, Errno.Notempty), (40, Errno.Loop), (75, Errno.Overflow),
        (84, Errno.Ilseq), (95, Errno.Notsup), (116, Errno.Stale), (122, Errno.Dquot),
    }.ToDictionary(pair => pair.Linux, pair => pair.Wasi);

    public static Errno From(int number) => number == 0 ? Errno.Success : Numbers.GetValueOrDefault(number, Errno.Io);

    /// <summary>The error of the call just made on this thread.</summary>
    public static Errno Last() => From(Marshal.GetLastPInvokeError());

    /// <summary>Makes a call until no signal breaks it.</summary>
    public static Errno Repeat(Func<long> call, out long result)
    {
        do result = call();
        while (result < 0 && Marshal.GetLastPInvokeError() == Eintr);
        return result < 0 ? Last() : Errno.Success;
    }

    /// <summary>Opens beneath a directory; a path that leads out is <see cref="Errno.Notcapable"/>.</summary>
    public static Errno OpenBeneath(int directory, string path, int flags, int mode, out int fd)
    {
        for (var i = 0; i < TriesMax; i++)
        {
            fd = (int)Native.OpenBeneath(directory, path, flags | Native.OCloexec, mode);
            if (fd >= 0) return Errno.Success;
            var number = Marshal.GetLastPInvokeError();
            if (number is not (Eagain or Eintr)) return number == Exdev ? Errno.Notcapable : From(number);
        }

        fd = -1;
        return Errno.Again;
    }
}
