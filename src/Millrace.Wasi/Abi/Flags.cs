namespace Millrace.Wasi.Abi;

enum Filetype : byte
{
    Unknown = 0,
    BlockDevice = 1,
    CharacterDevice = 2,
    Directory = 3,
    RegularFile = 4,
    SocketDgram = 5,
    SocketStream = 6,
    SymbolicLink = 7,
}

[Flags]
enum Fdflags : ushort
{
    None = 0,
    Append = 1,
    Dsync = 2,
    Nonblock = 4,
    Rsync = 8,
    Sync = 16,
    All = 31,
}

[Flags]
enum Oflags : ushort
{
    None = 0,
    Creat = 1,
    Directory = 2,
    Excl = 4,
    Trunc = 8,
    All = 15,
}

[Flags]
enum Fstflags : ushort
{
    None = 0,
    Atim = 1,
    AtimNow = 2,
    Mtim = 4,
    MtimNow = 8,
    All = 15,
}

enum Whence : byte
{
    Set = 0,
    Cur = 1,
    End = 2,
}

enum Eventtype : byte
{
    Clock = 0,
    FdRead = 1,
    FdWrite = 2,
}
