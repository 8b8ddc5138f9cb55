using System.Text;
using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Tests;

/// <summary>What every file system under a preopen does: the kernel's, the portable one, the one in memory.</summary>
public abstract partial class FilesCompliance : IDisposable
{
    internal const uint Root = 3;

    internal Guest Guest { get; init; } = null!;

    internal virtual bool HasHardLinks => true;

    public virtual void Dispose()
    {
        Guest.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public void Reads_what_was_written()
    {
        Guest.Create(Root, "a.txt", "hello");

        Assert.Equal("hello", Guest.ReadAll(Root, "a.txt"));
    }

    [Fact]
    public void Gives_the_lowest_free_number_to_what_is_opened()
    {
        Guest.Create(Root, "a", "");
        var first = Guest.MustOpen(Root, "a");
        var second = Guest.MustOpen(Root, "a");
        Guest.Call("fd_close", first);

        Assert.Equal(4u, first);
        Assert.Equal(5u, second);
        Assert.Equal(4u, Guest.MustOpen(Root, "a"));
    }

    [Fact]
    public void Transfers_over_several_buffers_and_stops_at_the_end_of_the_file()
    {
        var file = Guest.MustOpen(Root, "a", Oflags.Creat);
        var (one, two) = (Guest.Text("abc"), Guest.Text("defg"));
        Assert.Equal(Errno.Success, Guest.Call("fd_write", file, Guest.Vectors(one, (0, 0), two), 3, Guest.Out));
        Assert.Equal(7u, Guest.U32(Guest.Out));
        Guest.Call("fd_seek", file, 0, (uint)Whence.Set, Guest.Out);

        Assert.Equal(Errno.Success, Guest.Call("fd_read", file, Guest.Vectors((4096, 2), (4200, 100)), 2, Guest.Out));

        Assert.Equal(7u, Guest.U32(Guest.Out));
        Assert.Equal("ab", Encoding.UTF8.GetString(Guest.Memory.Array, 4096, 2));
        Assert.Equal("cdefg", Encoding.UTF8.GetString(Guest.Memory.Array, 4200, 5));
    }

    [Fact]
    public void Seeks_from_start_position_and_end_and_tells()
    {
        Guest.Create(Root, "a", "0123456789");
        var file = Guest.MustOpen(Root, "a");

        Assert.Equal(Errno.Success, Guest.Call("fd_seek", file, 3, (uint)Whence.Set, Guest.Out));
        Assert.Equal("34", Guest.Read(file, 2));
        Assert.Equal(Errno.Success, Guest.Call("fd_seek", file, 1, (uint)Whence.Cur, Guest.Out));
        Assert.Equal(6ul, Guest.U64(Guest.Out));
        Assert.Equal(Errno.Success, Guest.Call("fd_seek", file, -1, (uint)Whence.End, Guest.Out));
        Assert.Equal("9", Guest.Read(file));
        Assert.Equal(Errno.Success, Guest.Call("fd_tell", file, Guest.Out));
        Assert.Equal(10ul, Guest.U64(Guest.Out));
        Assert.Equal(Errno.Inval, Guest.Call("fd_seek", file, -11, (uint)Whence.End, Guest.Out));
        Assert.Equal(Errno.Inval, Guest.Call("fd_seek", file, 0, 3, Guest.Out));
    }

    [Fact]
    public void Reads_and_writes_at_an_offset_without_moving()
    {
        var file = Guest.MustOpen(Root, "a", Oflags.Creat);
        Guest.Write(file, "0123456789");

        Assert.Equal(Errno.Success, Guest.Call("fd_pwrite", file, Guest.Vectors(Guest.Text("XY")), 1, 4, Guest.Out));
        Assert.Equal(2u, Guest.U32(Guest.Out));
        Assert.Equal(Errno.Success, Guest.Call("fd_pread", file, Guest.Vectors((Guest.Buffer, 6)), 1, 2, Guest.Out));

        Assert.Equal("23XY67", Encoding.UTF8.GetString(Guest.Memory.Array, (int)Guest.Buffer, 6));
        Guest.Call("fd_tell", file, Guest.Out);
        Assert.Equal(10ul, Guest.U64(Guest.Out));
        Assert.Equal(Errno.Inval, Guest.Call("fd_pread", file, Guest.Vectors((Guest.Buffer, 6)), 1, -1, Guest.Out));
    }

    [Fact]
    public void Appends_whatever_the_position_but_not_at_an_offset()
    {
        Guest.Create(Root, "a", "123");
        var file = Guest.MustOpen(Root, "a", flags: Fdflags.Append);
        Guest.Call("fd_seek", file, 0, (uint)Whence.Set, Guest.Out);

        Guest.Write(file, "45");
        Assert.Equal(Errno.Success, Guest.Call("fd_pwrite", file, Guest.Vectors(Guest.Text("X")), 1, 0, Guest.Out));

        Assert.Equal("X2345", Guest.ReadAll(Root, "a"));
    }

    [Fact]
    public void Takes_append_away_by_fdstat_set_flags()
    {
        Guest.Create(Root, "a", "123");
        var file = Guest.MustOpen(Root, "a", flags: Fdflags.Append);

        Assert.Equal(Errno.Success, Guest.Call("fd_fdstat_set_flags", file, 0));
        Guest.Call("fd_seek", file, 0, (uint)Whence.Set, Guest.Out);
        Guest.Write(file, "X");

        Assert.Equal("X23", Guest.ReadAll(Root, "a"));
        Assert.Equal(Errno.Inval, Guest.Call("fd_fdstat_set_flags", file, 32));
    }

    [Fact]
    public void Truncates_grows_and_allocates()
    {
        Guest.Create(Root, "a", "0123456789");
        var file = Guest.MustOpen(Root, "a");

        Assert.Equal(Errno.Success, Guest.Call("fd_filestat_set_size", file, 4));
        Assert.Equal(Errno.Success, Guest.Call("fd_filestat_set_size", file, 6));
        Assert.Equal("0123\0\0", Guest.Read(file));
        Assert.Equal(Errno.Success, Guest.Call("fd_allocate", file, 4, 100));
        Guest.Stat(Root, "a", out var stat);
        Assert.Equal(104ul, stat.Size);
        Assert.Equal(Errno.Success, Guest.Call("fd_allocate", file, 0, 10));
        Guest.Stat(Root, "a", out stat);
        Assert.Equal(104ul, stat.Size);
        Assert.Equal(Errno.Inval, Guest.Call("fd_allocate", file, 0, 0));
        Assert.Equal(Errno.Fbig, Guest.Call("fd_allocate", file, long.MaxValue, 2));
        Assert.Equal(Errno.Inval, Guest.Call("fd_filestat_set_size", file, -1));
    }

    [Fact]
    public void Truncates_on_open_also_without_the_right_to_write()
    {
        Guest.Create(Root, "a", "0123456789");

        var file = Guest.MustOpen(Root, "a", Oflags.Trunc, Rights.FdRead);

        Assert.Equal("", Guest.Read(file));
        Assert.Equal(Errno.Notcapable, Guest.Write(file, "x"));
    }

    [Fact]
    public void Creates_only_what_is_new_when_asked_so()
    {
        Guest.Create(Root, "a", "");

        Assert.Equal(Errno.Exist, Guest.Open(Root, "a", out _, Oflags.Creat | Oflags.Excl, Rights.File));
        Assert.Equal(Errno.Success, Guest.Open(Root, "b", out _, Oflags.Creat | Oflags.Excl, Rights.File));
        Assert.Equal(Errno.Noent, Guest.Open(Root, "c", out _));
        Assert.Equal(Errno.Inval, Guest.Open(Root, "c", out _, Oflags.Creat | Oflags.Directory, Rights.Directory));
    }

    [Fact]
    public void Tells_files_from_directories_on_open()
    {
        Guest.Create(Root, "file", "");
        Guest.Path("path_create_directory", Root, "dir");

        Assert.Equal(Errno.Isdir, Guest.Open(Root, "dir", out _, rights: Rights.FdRead | Rights.FdWrite));
        Assert.Equal(Errno.Notdir, Guest.Open(Root, "file", out _, Oflags.Directory, Rights.FdRead));
        Assert.Equal(Errno.Notdir, Guest.Open(Root, "file/", out _, rights: Rights.FdRead));
        Assert.Equal(Errno.Notdir, Guest.Open(Root, "file/x", out _, rights: Rights.FdRead));
        Assert.Equal(Errno.Isdir, Guest.Open(Root, "new/", out _, Oflags.Creat, Rights.File));
        Assert.Equal(Errno.Success, Guest.Open(Root, "dir", out var fd, rights: Rights.FdReaddir));
        Assert.Equal(Errno.Isdir, Guest.TryRead(fd, out _));
        Assert.Equal(Errno.Isdir, Guest.Write(fd, "x"));
        Assert.Equal(Errno.Badf, Guest.Call("fd_advise", fd, 0, 0, 0));
        Assert.Equal(Errno.Badf, Guest.Call("fd_allocate", fd, 0, 1));
        Assert.Equal(Errno.Isdir, Guest.Call("fd_filestat_set_size", fd, 1));
    }

    [Fact]
    public void Makes_and_removes_directories()
    {
        Assert.Equal(Errno.Success, Guest.Path("path_create_directory", Root, "d"));
        Assert.Equal(Errno.Success, Guest.Path("path_create_directory", Root, "d/e/"));
        Assert.Equal(Errno.Exist, Guest.Path("path_create_directory", Root, "d"));
        Assert.Equal(Errno.Exist, Guest.Path("path_create_directory", Root, "."));
        Assert.Equal(Errno.Noent, Guest.Path("path_create_directory", Root, "x/y"));
        Assert.Equal(Errno.Notempty, Guest.Path("path_remove_directory", Root, "d"));
        Assert.Equal(Errno.Inval, Guest.Path("path_remove_directory", Root, "d/."));
        Assert.Equal(Errno.Isdir, Guest.Path("path_unlink_file", Root, "d"));
        Assert.Equal(Errno.Success, Guest.Path("path_remove_directory", Root, "d/e"));
        Assert.Equal(Errno.Success, Guest.Path("path_remove_directory", Root, "d/"));
        Assert.Equal(Errno.Noent, Guest.Path("path_remove_directory", Root, "d"));
        Guest.Create(Root, "f");
        Assert.Equal(Errno.Notdir, Guest.Path("path_remove_directory", Root, "f"));
        Assert.Equal(Errno.Notdir, Guest.Path("path_unlink_file", Root, "f/"));
        Assert.Equal(Errno.Success, Guest.Path("path_unlink_file", Root, "f"));
        Assert.Equal(Errno.Noent, Guest.Path("path_unlink_file", Root, "f"));
    }

    [Fact]
    public void Keeps_an_unlinked_file_readable_while_it_is_open()
    {
        Guest.Create(Root, "a", "kept");
        var file = Guest.MustOpen(Root, "a");

        Assert.Equal(Errno.Success, Guest.Path("path_unlink_file", Root, "a"));

        Assert.Equal("kept", Guest.Read(file));
        Assert.Equal(Errno.Noent, Guest.Open(Root, "a", out _));
    }

    [Fact]
    public void Lists_a_directory_by_cookies_whatever_the_buffer()
    {
        Guest.Path("path_create_directory", Root, "d");
        var names = Enumerable.Range(0, 40).Select(i => $"file-{i:00}").ToArray();
        foreach (var name in names) Guest.Create(Root, $"d/{name}");
        Guest.Path("path_create_directory", Root, "d/sub");
        var dir = Guest.MustOpenDirectory(Root, "d");

        var whole = Guest.List(dir);
        foreach (var length in new uint[] { 64, 100, 333 }) Assert.Equal(whole, Guest.List(dir, length));

        Assert.Equal([".", "..", .. names, "sub"], whole.Select(e => e.Name).Order(StringComparer.Ordinal));
        Assert.Equal(Filetype.Directory, whole.Single(e => e.Name == "sub").Type);
        Assert.Equal(Filetype.RegularFile, whole.Single(e => e.Name == names[0]).Type);
        foreach (var name in names.Append("sub"))
        {
            Guest.Stat(Root, $"d/{name}", out var stat);
            Assert.Equal(stat.Inode, whole.Single(e => e.Name == name).Inode);
        }
    }

    [Fact]
    public void Shows_new_entries_from_the_first_cookie_on()
    {
        var dir = Guest.MustOpenDirectory(Root, ".");
        Assert.Equal(2, Guest.List(dir).Count);

        Guest.Create(Root, "new");

        Assert.Equal(3, Guest.List(dir).Count);
        Assert.Equal(Errno.Success, Guest.Call("fd_readdir", dir, Guest.Buffer, 4096, 99, Guest.Out));
        Assert.Equal(0u, Guest.U32(Guest.Out));
    }

    [Fact]
    public void Tells_type_size_and_times()
    {
        Guest.Create(Root, "a", "12345");

        Assert.Equal(Errno.Success, Guest.Stat(Root, "a", out var stat));
        Assert.Equal((Filetype.RegularFile, 5ul, 1ul), (stat.Type, stat.Size, stat.Links));
        Assert.Equal(Errno.Success, Guest.Stat(Root, ".", out var root));
        Assert.Equal(Filetype.Directory, root.Type);
        Assert.Equal(Errno.Noent, Guest.Stat(Root, "b", out _));
        Assert.Equal(Errno.Noent, Guest.Stat(Root, "", out _));
        Assert.Equal(Errno.Notdir, Guest.Stat(Root, "a/", out _));
        var file = Guest.MustOpen(Root, "a");
        Assert.Equal(Errno.Success, Guest.Call("fd_filestat_get", file, Guest.Out));
        Assert.Equal(stat.Inode, Guest.StatAt(Guest.Out).Inode);
        Assert.NotEqual(root.Inode, stat.Inode);
    }

    [Fact]
    public void Sets_times_by_descriptor_and_by_path()
    {
        const ulong Then = 1_600_000_000_000_000_000;
        Guest.Create(Root, "a", "");
        var file = Guest.MustOpen(Root, "a");
        var (at, length) = Guest.Text("a");

        Assert.Equal(Errno.Success, Guest.Call("fd_filestat_set_times", file, Then, Then + 100, (uint)(Fstflags.Atim | Fstflags.Mtim)));
        Guest.Stat(Root, "a", out var stat);
        Assert.Equal((Then, Then + 100), (stat.AccessedNs, stat.ModifiedNs));
        Assert.Equal(Errno.Success, Guest.Call("path_filestat_set_times", Root, 1, at, length, 0, Then + 200, (uint)Fstflags.Mtim));
        Guest.Stat(Root, "a", out stat);
        Assert.Equal((Then, Then + 200), (stat.AccessedNs, stat.ModifiedNs));
        Assert.Equal(Errno.Success, Guest.Call("path_filestat_set_times", Root, 1, at, length, 0, 0, (uint)Fstflags.AtimNow));
        Guest.Stat(Root, "a", out stat);
        Assert.True(stat.AccessedNs > Then);
        Assert.Equal(Errno.Inval, Guest.Call("fd_filestat_set_times", file, 0, 0, (uint)(Fstflags.Atim | Fstflags.AtimNow)));
        Assert.Equal(Errno.Inval, Guest.Call("path_filestat_set_times", Root, 1, at, length, 0, 0, 16));
    }

    [Fact]
    public void Follows_links_inside_and_reads_them()
    {
        Guest.Path("path_create_directory", Root, "d");
        Guest.Create(Root, "d/a", "inside");
        Symlink("d/../d/a", "l");
        Symlink("d", "dl");

        Assert.Equal("inside", Guest.ReadAll(Root, "l"));
        Assert.Equal("inside", Guest.ReadAll(Root, "dl/a"));
        Guest.Stat(Root, "l", out var link, follow: false);
        Assert.Equal((Filetype.SymbolicLink, 8ul), (link.Type, link.Size));
        Guest.Stat(Root, "l", out var target);
        Assert.Equal(Filetype.RegularFile, target.Type);
        Assert.Equal(Errno.Loop, Guest.Open(Root, "l", out _, rights: Rights.FdRead, follow: false));
        Assert.Equal(Errno.Success, Guest.Path("path_readlink", Root, "l", Guest.Buffer, 100, Guest.Out));
        Assert.Equal("d/../d/a", Encoding.UTF8.GetString(Guest.Memory.Array, (int)Guest.Buffer, (int)Guest.U32(Guest.Out)));
        Assert.Equal(Errno.Success, Guest.Path("path_readlink", Root, "l", Guest.Buffer, 3, Guest.Out));
        Assert.Equal(3u, Guest.U32(Guest.Out));
        Assert.Equal(Errno.Inval, Guest.Path("path_readlink", Root, "d/a", Guest.Buffer, 3, Guest.Out));
        Assert.Equal(Errno.Exist, Symlink("x", "l"));
        Assert.Equal(Errno.Success, Guest.Path("path_unlink_file", Root, "l"));
        Assert.Equal("inside", Guest.ReadAll(Root, "d/a"));
    }

    [Fact]
    public void Gives_up_on_links_in_a_circle()
    {
        Symlink("two", "one");
        Symlink("one", "two");

        Assert.Equal(Errno.Loop, Guest.Open(Root, "one", out _, rights: Rights.FdRead));
        Assert.Equal(Errno.Loop, Guest.Stat(Root, "one/x", out _));
    }

    [Fact]
    public void Refuses_paths_that_are_no_text()
    {
        var (at, length) = Guest.Bytes([0x61, 0xff]);

        Assert.Equal(Errno.Ilseq, Guest.Call("path_unlink_file", Root, at, length));
        Assert.Equal(Errno.Inval, Guest.Path("path_unlink_file", Root, "a\0b"));
        Assert.Equal(Errno.Nametoolong, Guest.Path("path_unlink_file", Root, new string('a', 300)));
        Assert.Equal(Errno.Nametoolong, Guest.Path("path_unlink_file", Root, new string('a', 5000)));
        Assert.Equal(Errno.Noent, Guest.Path("path_unlink_file", Root, ""));
    }

    [Fact]
    public void Renames_files_and_directories_over_what_may_be_replaced()
    {
        Guest.Create(Root, "a", "A");
        Guest.Create(Root, "b", "B");
        Guest.Path("path_create_directory", Root, "d");
        Guest.Path("path_create_directory", Root, "e");
        Guest.Create(Root, "e/x", "X");

        Assert.Equal(Errno.Success, Rename("a", "b"));
        Assert.Equal("A", Guest.ReadAll(Root, "b"));
        Assert.Equal(Errno.Noent, Rename("a", "b"));
        Assert.Equal(Errno.Isdir, Rename("b", "d"));
        Assert.Equal(Errno.Notdir, Rename("d", "b"));
        Assert.Equal(Errno.Notempty, Rename("d", "e"));
        Assert.Equal(Errno.Inval, Rename("e", "e/inside"));
        Assert.Equal(Errno.Success, Rename("e", "d"));
        Assert.Equal("X", Guest.ReadAll(Root, "d/x"));
        Assert.Equal(Errno.Success, Rename("b", "d/b"));
        Assert.Equal("A", Guest.ReadAll(Root, "d/b"));
        Assert.Equal(Errno.Busy, Rename(".", "z"));
    }

    [Fact]
    public void Links_a_file_under_a_second_name()
    {
        Guest.Create(Root, "a", "A");
        Guest.Path("path_create_directory", Root, "d");
        if (!HasHardLinks)
        {
            Assert.Equal(Errno.Notsup, Link("a", "b"));
            return;
        }

        Assert.Equal(Errno.Success, Link("a", "b"));
        Guest.Stat(Root, "a", out var first);
        Guest.Stat(Root, "b", out var second);
        Assert.Equal((first.Inode, 2ul), (second.Inode, second.Links));
        Assert.Equal(Errno.Exist, Link("a", "b"));
        Assert.Equal(Errno.Noent, Link("x", "c"));
        Assert.Equal(Errno.Perm, Link("d", "c"));
        Assert.Equal(Errno.Perm, Link("d/", "c"));
        Symlink("a", "l");
        Assert.Equal(Errno.Success, Link("l", "viaLink", follow: true));
        Guest.Stat(Root, "viaLink", out var third, follow: false);
        Assert.Equal(first.Inode, third.Inode);
        Assert.Equal(Errno.Success, Link("l", "sameLink"));
        Guest.Stat(Root, "sameLink", out var fourth, follow: false);
        Assert.Equal(Filetype.SymbolicLink, fourth.Type);
        Symlink("../outside/", "out");
        Assert.Equal(Errno.Notcapable, Link("out", "c", follow: true));
        Assert.Equal(Errno.Notcapable, Link("out/", "c"));
    }

    [Fact]
    public void Syncs_and_takes_advice()
    {
        Guest.Create(Root, "a", "A");
        var file = Guest.MustOpen(Root, "a");
        var dir = Guest.MustOpenDirectory(Root, ".");

        Assert.Equal(Errno.Success, Guest.Call("fd_sync", file));
        Assert.Equal(Errno.Success, Guest.Call("fd_datasync", file));
        Assert.Equal(Errno.Success, Guest.Call("fd_sync", dir));
        for (var advice = 0; advice <= 5; advice++) Assert.Equal(Errno.Success, Guest.Call("fd_advise", file, 0, 0, advice));
        Assert.Equal(Errno.Inval, Guest.Call("fd_advise", file, 0, 0, 6));
        Assert.Equal(Errno.Inval, Guest.Call("fd_advise", file, -1, 0, 0));
    }

    [Fact]
    public void Gives_only_the_rights_that_were_given()
    {
        Guest.Create(Root, "a", "A");
        var dir = Guest.MustOpenDirectory(Root, ".");
        Assert.Equal(Errno.Success, Guest.Call("fd_fdstat_set_rights", dir, (ulong)(Rights.PathOpen | Rights.FdReaddir), (ulong)Rights.FdRead));

        Assert.Equal(Errno.Notcapable, Guest.Call("fd_fdstat_set_rights", dir, (ulong)Rights.Directory, 0));
        Assert.Equal(Errno.Notcapable, Guest.Path("path_create_directory", dir, "x"));
        Assert.Equal(Errno.Notcapable, Guest.Open(dir, "a", out _, rights: Rights.FdWrite));
        Assert.Equal(Errno.Notcapable, Guest.Open(dir, "x", out _, Oflags.Creat, Rights.FdRead));
        Assert.Equal(Errno.Notcapable, Guest.Open(dir, "a", out _, Oflags.Trunc, Rights.FdRead));
        Assert.Equal(Errno.Success, Guest.Open(dir, "a", out var file, rights: Rights.FdRead | Rights.FdSeek));
        Assert.Equal("A", Guest.Read(file));
        Assert.Equal(Errno.Notcapable, Guest.Call("fd_seek", file, 1, (uint)Whence.Set, Guest.Out));
        Assert.Equal(Errno.Notcapable, Guest.Call("fd_tell", file, Guest.Out));
        Assert.Equal(Errno.Notcapable, Guest.Call("fd_pread", file, Guest.Vectors((Guest.Buffer, 1)), 1, 0, Guest.Out));
        Assert.Equal(Errno.Notcapable, Guest.Call("fd_advise", file, 0, 0, 0));
        Assert.Equal(Errno.Notcapable, Guest.Call("fd_allocate", file, 0, 1));
        Assert.Equal(Errno.Success, Guest.Call("fd_fdstat_get", file, Guest.Out));
        Assert.Equal((ulong)Rights.FdRead, Guest.U64(Guest.Out + 8));
    }

    [Fact]
    public void Writes_nothing_into_memory_that_is_not_there()
    {
        Guest.Create(Root, "a", "A");
        var file = Guest.MustOpen(Root, "a");
        const uint Beyond = 0xffff_fff0;

        Assert.Equal(Errno.Fault, Guest.Call("fd_read", file, Guest.Vectors((Beyond, 8)), 1, Guest.Out));
        Assert.Equal(Errno.Fault, Guest.Call("fd_read", file, Beyond, 1, Guest.Out));
        Assert.Equal(Errno.Fault, Guest.Call("fd_read", file, Guest.Vectors((Guest.Buffer, 8)), 1, Beyond));
        Assert.Equal("A", Guest.Read(file));
        Assert.Equal(Errno.Fault, Guest.Call("path_unlink_file", Root, Beyond, 8));
        Assert.Equal(Errno.Fault, Guest.Call("fd_filestat_get", file, Beyond));
        Assert.Equal(Errno.Fault, Guest.Call("fd_readdir", Root, Guest.Buffer, Beyond, 0, Guest.Out));
        Assert.Equal(Errno.Inval, Guest.Call("fd_read", file, Guest.Buffer, 1025, Guest.Out));
    }

    internal Errno Symlink(string content, string path)
    {
        var (at, length) = Guest.Text(content);
        var (pathAt, pathLength) = Guest.Text(path);
        return Guest.Call("path_symlink", at, length, Root, pathAt, pathLength);
    }

    internal Errno Rename(string from, string to)
    {
        var (at, length) = Guest.Text(to);
        return Guest.Path("path_rename", Root, from, Root, at, length);
    }

    internal Errno Link(string from, string to, bool follow = false)
    {
        var (at, length) = Guest.Text(from);
        var (toAt, toLength) = Guest.Text(to);
        return Guest.Call("path_link", Root, follow ? 1 : 0, at, length, Root, toAt, toLength);
    }
}
