using System.Collections.Immutable;
using System.Text;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Calls;
using Millrace.Wasi.Posix;

namespace Millrace.Wasi.Tests;

/// <summary>What does not need files.</summary>
public sealed class CallsTests : IDisposable
{
    readonly MemoryStream _stdout = new();
    readonly FakeSystem _system = new();
    readonly Guest _guest;

    public CallsTests() => _guest = new(new()
    {
        Arguments = ["prog", "ä b", ""],
        Environment = ImmutableSortedDictionary.CreateRange([KeyValuePair.Create("B", "2"), KeyValuePair.Create("A", "1=1")]),
        Stdin = new MemoryStream("input"u8.ToArray()),
        Stdout = _stdout,
        System = _system,
        DescriptorsMax = 8,
        Files = new(ImmutableDictionary<string, ReadOnlyMemory<byte>>.Empty, 1 << 20, () => 0),
    });

    public void Dispose() => _guest.Dispose();

    /// <summary>Time that stands still until it is slept through.</summary>
    sealed class FakeSystem : IWasiSystem
    {
        public long NowNs { get; set; } = 1_000_000;

        public List<ulong> Slept { get; } = [];

        public bool CanSleep { get; set; } = true;

        public long ReadClock(WasiClock clock) => NowNs + (int)clock;

        public long ClockResolution(WasiClock clock) => 7;

        public void FillRandom(Span<byte> buffer) => buffer.Fill(0x5a);

        public bool Sleep(ulong nanoseconds)
        {
            Slept.Add(nanoseconds);
            NowNs += (long)nanoseconds;
            return CanSleep;
        }
    }

    [Fact]
    public void Has_all_46_functions_of_preview_1_by_name()
    {
        string[] names =
        [
            "args_get", "args_sizes_get", "clock_res_get", "clock_time_get", "environ_get", "environ_sizes_get",
            "fd_advise", "fd_allocate", "fd_close", "fd_datasync", "fd_fdstat_get", "fd_fdstat_set_flags",
            "fd_fdstat_set_rights", "fd_filestat_get", "fd_filestat_set_size", "fd_filestat_set_times", "fd_pread",
            "fd_prestat_dir_name", "fd_prestat_get", "fd_pwrite", "fd_read", "fd_readdir", "fd_renumber", "fd_seek",
            "fd_sync", "fd_tell", "fd_write", "path_create_directory", "path_filestat_get", "path_filestat_set_times",
            "path_link", "path_open", "path_readlink", "path_remove_directory", "path_rename", "path_symlink",
            "path_unlink_file", "poll_oneoff", "proc_exit", "proc_raise", "random_get", "sched_yield", "sock_accept",
            "sock_recv", "sock_send", "sock_shutdown",
        ];

        Assert.Equal(46, names.Length);
        Assert.Equal(names, CallTable.Preview1.Select(entry => entry.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Gives_arguments_and_environment()
    {
        Assert.Equal(["prog", "ä b", ""], ReadTexts("args"));
        Assert.Equal(["A=1=1", "B=2"], ReadTexts("environ"));
        Assert.Equal(Errno.Fault, _guest.Call("args_get", 65534, Guest.Buffer));
        Assert.Equal(Errno.Fault, _guest.Call("environ_sizes_get", Guest.Out, 65534));
    }

    [Fact]
    public void Refuses_an_argument_with_a_zero_in_it() =>
        Assert.Throws<ArgumentException>(() => new Guest(new() { Arguments = ["a\0b"] }));

    [Fact]
    public void Reads_clocks_and_their_steps()
    {
        Assert.Equal(Errno.Success, _guest.Call("clock_time_get", 1, 0L, Guest.Out));
        Assert.Equal(1_000_001ul, _guest.U64(Guest.Out));
        Assert.Equal(Errno.Success, _guest.Call("clock_res_get", 0, Guest.Out));
        Assert.Equal(7ul, _guest.U64(Guest.Out));
        Assert.Equal(Errno.Inval, _guest.Call("clock_time_get", 4, 0L, Guest.Out));
        Assert.Equal(Errno.Inval, _guest.Call("clock_res_get", 4, Guest.Out));
        Assert.Equal(Errno.Fault, _guest.Call("clock_time_get", 0, 0L, 65530));
    }

    [Fact]
    public void Fills_with_random_bytes_and_nothing_beside()
    {
        Assert.Equal(Errno.Success, _guest.Call("random_get", Guest.Buffer, 3));
        Assert.Equal([0x5a, 0x5a, 0x5a, 0], _guest.Memory.Array[(int)Guest.Buffer..((int)Guest.Buffer + 4)]);
        Assert.Equal(Errno.Fault, _guest.Call("random_get", 65535, 2));
    }

    [Fact]
    public void Ends_with_the_exit_code_and_knows_no_signals()
    {
        Assert.Equal(7, Assert.Throws<ProcExitException>(() => _guest.Call("proc_exit", 7)).Code);
        Assert.Equal(Errno.Notsup, _guest.Call("proc_raise", 6));
        Assert.Equal(Errno.Success, _guest.Call("sched_yield"));
    }

    [Fact]
    public void Has_no_sockets()
    {
        Assert.Equal(Errno.Notsock, _guest.Call("sock_accept", 0, 0, 0));
        Assert.Equal(Errno.Notsock, _guest.Call("sock_recv", 0, 0, 0, 0, 0, 0));
        Assert.Equal(Errno.Notsock, _guest.Call("sock_send", 0, 0, 0, 0, 0));
        Assert.Equal(Errno.Notsock, _guest.Call("sock_shutdown", 0, 0));
        Assert.Equal(Errno.Badf, _guest.Call("sock_shutdown", 99, 0));
    }

    [Fact]
    public void Reads_and_writes_the_standard_streams()
    {
        Assert.Equal("inp", _guest.Read(0, 3));
        Assert.Equal("ut", _guest.Read(0));
        Assert.Equal("", _guest.Read(0));
        Assert.Equal(Errno.Success, _guest.Write(1, "out"));
        Assert.Equal("out", Encoding.UTF8.GetString(_stdout.ToArray()));
        Assert.Equal(Errno.Notcapable, _guest.Write(0, "x"));
        Assert.Equal(Errno.Notcapable, _guest.TryRead(1, out _));
        Assert.Equal(Errno.Badf, _guest.Write(99, "x"));
    }

    [Fact]
    public void Does_not_move_in_the_standard_streams()
    {
        Assert.Equal(Errno.Spipe, _guest.Call("fd_seek", 0, 0, 0, Guest.Out));
        Assert.Equal(Errno.Spipe, _guest.Call("fd_tell", 1, Guest.Out));
        Assert.Equal(Errno.Spipe, _guest.Call("fd_pread", 0, _guest.Vectors((Guest.Buffer, 4)), 1, 0, Guest.Out));
        Assert.Equal(Errno.Spipe, _guest.Call("fd_pwrite", 1, _guest.Vectors((Guest.Buffer, 4)), 1, 0, Guest.Out));
        Assert.Equal(Errno.Spipe, _guest.Call("fd_advise", 0, 0, 0, 0));
        Assert.Equal(Errno.Spipe, _guest.Call("fd_allocate", 1, 0, 1));
        Assert.Equal(Errno.Notdir, _guest.Call("fd_readdir", 0, Guest.Buffer, 100, 0, Guest.Out));
        Assert.Equal(Errno.Notdir, _guest.Path("path_unlink_file", 0, "a"));
    }

    [Fact]
    public void Tells_of_the_standard_streams()
    {
        Assert.Equal(Errno.Success, _guest.Call("fd_fdstat_get", 1, Guest.Out));
        Assert.Equal((byte)Filetype.Unknown, _guest.Memory.Array[Guest.Out]);
        Assert.Equal((ulong)Rights.OutputStream, _guest.U64(Guest.Out + 8));
        Assert.Equal(Errno.Success, _guest.Call("fd_filestat_get", 1, Guest.Out));
        Assert.Equal(Errno.Success, _guest.Call("fd_sync", 1));
        Assert.Equal(Errno.Success, _guest.Call("fd_datasync", 1));
        Assert.Equal(Errno.Success, _guest.Call("fd_fdstat_set_flags", 1, (uint)Fdflags.Nonblock));
        Assert.Equal(Errno.Notcapable, _guest.Call("fd_filestat_set_times", 1, 0, 0, 0));
        Assert.Equal(Errno.Badf, _guest.Call("fd_fdstat_get", 99, Guest.Out));
    }

    [Fact]
    public void Is_a_terminal_only_when_told_so()
    {
        using var guest = new Guest(new() { IsTerminal = true });

        guest.Call("fd_fdstat_get", 1, Guest.Out);

        Assert.Equal((byte)Filetype.CharacterDevice, guest.Memory.Array[Guest.Out]);
    }

    [Fact]
    public void Says_what_a_broken_stream_is()
    {
        using var guest = new Guest(new() { Stdin = new BrokenStream(), Stdout = new BrokenStream() });

        Assert.Equal(Errno.Io, guest.TryRead(0, out _));
        Assert.Equal(Errno.Pipe, guest.Write(1, "x"));
    }

    [Fact]
    public void Writes_what_a_stream_with_a_cap_has_room_for()
    {
        var capped = new CappedStream(4);
        using var guest = new Guest(new() { Stdout = capped });

        Assert.Equal(Errno.Success, guest.Write(1, "123456"));
        Assert.Equal(4u, guest.U32(Guest.Out));
        Assert.Equal(Errno.Fbig, guest.Write(1, "56"));
        Assert.Equal("1234", Encoding.UTF8.GetString(capped.ToArray()));
    }

    [Fact]
    public void Names_preopens_and_nothing_else()
    {
        Assert.Equal(Errno.Success, _guest.Call("fd_prestat_get", 3, Guest.Out));
        Assert.Equal((0u, 1u), (_guest.U32(Guest.Out), _guest.U32(Guest.Out + 4)));
        Assert.Equal(Errno.Success, _guest.Call("fd_prestat_dir_name", 3, Guest.Buffer, 1));
        Assert.Equal((byte)'/', _guest.Memory.Array[Guest.Buffer]);
        Assert.Equal(Errno.Nametoolong, _guest.Call("fd_prestat_dir_name", 3, Guest.Buffer, 0));
        Assert.Equal(Errno.Badf, _guest.Call("fd_prestat_get", 4, Guest.Out));
        Assert.Equal(Errno.Badf, _guest.Call("fd_prestat_get", 0, Guest.Out));
        Assert.Equal(Errno.Badf, _guest.Call("fd_prestat_dir_name", 0, Guest.Buffer, 1));
    }

    [Fact]
    public void Closes_and_renumbers()
    {
        var file = _guest.MustOpen(3, "a", Oflags.Creat);
        _guest.Write(file, "moved");

        Assert.Equal(Errno.Badf, _guest.Call("fd_renumber", file, 7));
        Assert.Equal(Errno.Badf, _guest.Call("fd_renumber", 7, file));
        Assert.Equal(Errno.Success, _guest.Call("fd_renumber", file, 1));
        Assert.Equal(Errno.Badf, _guest.Call("fd_close", file));
        _guest.Write(1, " here");
        Assert.Equal(Errno.Success, _guest.Call("fd_close", 1));
        Assert.Equal(Errno.Badf, _guest.Call("fd_close", 1));
        Assert.Equal("moved here", _guest.ReadAll(3, "a"));
        Assert.Equal(Errno.Success, _guest.Call("fd_renumber", 3, 3));
        Assert.Equal(Errno.Success, _guest.Call("fd_prestat_get", 3, Guest.Out));
    }

    [Fact]
    public void Opens_no_more_than_the_table_holds()
    {
        _guest.Create(3, "a");
        for (var i = 4; i < 8; i++) _guest.MustOpen(3, "a");

        Assert.Equal(Errno.Mfile, _guest.Open(3, "b", out _, Oflags.Creat, Rights.File));
        Assert.Equal(Errno.Noent, _guest.Stat(3, "b", out _));
        _guest.Call("fd_close", 5);
        Assert.Equal(5u, _guest.MustOpen(3, "a"));
    }

    [Fact]
    public void Refuses_flags_that_do_not_exist()
    {
        var (at, length) = _guest.Text("a");

        Assert.Equal(Errno.Inval, _guest.Call("path_open", 3, 2, at, length, 0, 0, 0, 0, Guest.Out));
        Assert.Equal(Errno.Inval, _guest.Call("path_open", 3, 0, at, length, 16, 0, 0, 0, Guest.Out));
        Assert.Equal(Errno.Inval, _guest.Call("path_open", 3, 0, at, length, 0, 0, 0, 32, Guest.Out));
        Assert.Equal(Errno.Inval, _guest.Call("path_filestat_get", 3, 2, at, length, Guest.Out));
    }

    [Fact]
    public void Waits_for_the_first_clock_and_tells_which()
    {
        var events = Poll(Clock(1, 1, 500), Clock(2, 0, 300), Clock(3, 1, 300));

        Assert.Equal([300ul], _system.Slept);
        Assert.Equal([(2ul, Errno.Success, Eventtype.Clock), (3ul, Errno.Success, Eventtype.Clock)], events);
    }

    [Fact]
    public void Waits_until_a_point_in_time()
    {
        Poll(Clock(1, 0, 1_000_400, isAbsolute: true));
        Poll(Clock(1, 0, 500, isAbsolute: true));

        Assert.Equal([400ul], _system.Slept);
    }

    [Fact]
    public void Does_not_wait_for_streams_and_files()
    {
        var events = Poll(Clock(1, 1, 500), Descriptor(2, Eventtype.FdRead, 0), Descriptor(3, Eventtype.FdWrite, 1));

        Assert.Empty(_system.Slept);
        Assert.Equal([(2ul, Errno.Success, Eventtype.FdRead), (3ul, Errno.Success, Eventtype.FdWrite)], events);
    }

    [Fact]
    public void Puts_what_is_wrong_with_one_subscription_into_its_event()
    {
        var events = Poll(
            Clock(1, 2, 500), Descriptor(2, Eventtype.FdRead, 99), Descriptor(3, Eventtype.FdWrite, 0), Descriptor(4, Eventtype.FdRead, 3));

        Assert.Equal(
            [(1ul, Errno.Notsup, Eventtype.Clock), (2ul, Errno.Badf, Eventtype.FdRead), (3ul, Errno.Notcapable, Eventtype.FdWrite),
                (4ul, Errno.Notcapable, Eventtype.FdRead)],
            events);
    }

    [Fact]
    public void Refuses_polls_of_nothing_of_unknown_things_and_outside_memory()
    {
        Assert.Equal(Errno.Inval, _guest.Call("poll_oneoff", 0, Guest.Buffer, 0, Guest.Out));
        var unknown = _guest.Bytes([.. new byte[8], 3, .. new byte[39]]).At;
        Assert.Equal(Errno.Inval, _guest.Call("poll_oneoff", unknown, Guest.Buffer, 1, Guest.Out));
        Assert.Equal(Errno.Fault, _guest.Call("poll_oneoff", 65530, Guest.Buffer, 1, Guest.Out));
        _system.CanSleep = false;
        Assert.Equal(Errno.Io, _guest.Call("poll_oneoff", _guest.Bytes(Clock(1, 1, 500)).At, Guest.Buffer, 1, Guest.Out));
    }

    [Fact]
    public void Knows_an_errno_for_every_error_of_the_kernel()
    {
        var given = Enumerable.Range(0, 134).Select(PosixErrno.From).ToHashSet();

        // What the calls themselves answer and Linux has no number for, and what only sockets answer.
        Errno[] own =
        [
            Errno.Notcapable, Errno.Notsock, Errno.Addrinuse, Errno.Addrnotavail, Errno.Afnosupport, Errno.Already,
            Errno.Connaborted, Errno.Connrefused, Errno.Connreset, Errno.Destaddrreq, Errno.Hostunreach, Errno.Inprogress,
            Errno.Isconn, Errno.Msgsize, Errno.Netdown, Errno.Netreset, Errno.Netunreach, Errno.Nobufs, Errno.Noprotoopt,
            Errno.Notconn, Errno.Protonosupport, Errno.Prototype, Errno.Timedout, Errno.Aiagain, Errno.Aibadflag, Errno.Aifail,
            Errno.Aifamily, Errno.Aimemory, Errno.Ainodata, Errno.Ainoname, Errno.Aiservice, Errno.Aisocktype,
        ];
        Assert.Equal(Enum.GetValues<Errno>().Except(own).Order(), given.Order());
        Assert.Equal(Errno.Noent, PosixErrno.From(2));
        Assert.Equal(Errno.Notempty, PosixErrno.From(39));
        Assert.Equal(Errno.Io, PosixErrno.From(133));
    }

    static byte[] Clock(ulong token, uint clock, ulong timeoutNs, bool isAbsolute = false) =>
    [
        .. BitConverter.GetBytes(token), (byte)Eventtype.Clock, .. new byte[7], .. BitConverter.GetBytes(clock), .. new byte[4],
        .. BitConverter.GetBytes(timeoutNs), .. new byte[8], isAbsolute ? (byte)1 : (byte)0, .. new byte[7],
    ];

    static byte[] Descriptor(ulong token, Eventtype type, uint fd) =>
        [.. BitConverter.GetBytes(token), (byte)type, .. new byte[7], .. BitConverter.GetBytes(fd), .. new byte[28]];

    List<(ulong Token, Errno Error, Eventtype Type)> Poll(params byte[][] subscriptions)
    {
        var at = _guest.Bytes([.. subscriptions.SelectMany(bytes => bytes)]).At;
        Assert.Equal(Errno.Success, _guest.Call("poll_oneoff", at, Guest.Buffer, subscriptions.Length, Guest.Out));
        return [.. Enumerable.Range(0, (int)_guest.U32(Guest.Out)).Select(i =>
        {
            var from = Guest.Buffer + (uint)i * 32;
            return (_guest.U64(from), (Errno)_guest.Memory.Array[from + 8], (Eventtype)_guest.Memory.Array[from + 10]);
        })];
    }

    List<string> ReadTexts(string group)
    {
        Assert.Equal(Errno.Success, _guest.Call($"{group}_sizes_get", Guest.Out, Guest.Out + 4));
        var (count, length) = (_guest.U32(Guest.Out), _guest.U32(Guest.Out + 4));
        Assert.Equal(Errno.Success, _guest.Call($"{group}_get", Guest.Out, Guest.Buffer));
        var texts = new List<string>();
        for (var i = 0u; i < count; i++)
        {
            var at = (int)_guest.U32(Guest.Out + i * 4);
            var end = Array.IndexOf(_guest.Memory.Array, (byte)0, at);
            texts.Add(Encoding.UTF8.GetString(_guest.Memory.Array, at, end - at));
            length -= (uint)(end - at + 1);
        }

        Assert.Equal(0u, length);
        return texts;
    }

    sealed class CappedStream(long cap) : MemoryStream, IRoomStream
    {
        public long Room => cap - Length;
    }

    sealed class BrokenStream : MemoryStream
    {
        public override int Read(Span<byte> buffer) => throw new IOException("broken");

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("broken");
    }
}
