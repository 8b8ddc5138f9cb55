using System.Diagnostics;
using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Tests;

/// <summary>Ways out of a preopened directory that the host's side lays, also while the guest is at it.</summary>
public sealed class EscapeTests : IDisposable
{
    const uint Root = 3;
    const int Rounds = 3000;
    const int Swaps = 200;

    static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    readonly HostFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Does_not_follow_a_hosts_link_that_leads_out(bool isPortable)
    {
        Directory.CreateSymbolicLink(Path.Join(_folder.Root, "absolute"), _folder.Outside);
        Directory.CreateSymbolicLink(Path.Join(_folder.Root, "relative"), "../outside");
        File.CreateSymbolicLink(Path.Join(_folder.Root, "file"), Path.Join(_folder.Outside, "secret"));
        using var guest = _folder.Guest(isPortable);

        foreach (var path in new[] { "absolute/secret", "relative/secret", "file", "absolute", "relative", "absolute/", "relative/." })
        {
            Assert.Equal(Errno.Notcapable, guest.Open(Root, path, out _, rights: Rights.FdRead));
            Assert.Equal(Errno.Notcapable, guest.Stat(Root, path, out _));
        }

        foreach (var call in new[] { "path_create_directory", "path_remove_directory", "path_unlink_file" })
            Assert.Equal(Errno.Notcapable, guest.Path(call, Root, "absolute/secret"));
        Assert.Equal(Errno.Notcapable, guest.Open(Root, "relative/new", out _, Oflags.Creat, Rights.File));
        Assert.Equal(["secret"], Directory.GetFileSystemEntries(_folder.Outside).Select(Path.GetFileName));
    }

    [Fact]
    public void Reads_nothing_outside_while_a_directory_is_swapped_for_a_link() => Race(isPortable: false);

    [Fact]
    public void Reads_nothing_outside_in_portable_mode_while_a_directory_is_swapped_for_a_link() => Race(isPortable: true);

    void Race(bool isPortable)
    {
        var inside = Path.Join(_folder.Root, "d");
        var parked = Path.Join(_folder.Root, "parked");
        var link = Path.Join(_folder.Root, "link");
        Directory.CreateDirectory(inside);
        File.WriteAllText(Path.Join(inside, "secret"), "inside");
        Directory.CreateSymbolicLink(link, _folder.Outside);
        using var guest = _folder.Guest(isPortable);
        using var ended = new CancellationTokenSource();
        var swaps = 0;
        var swapper = new Thread(() =>
        {
            while (!ended.IsCancellationRequested)
            {
                Directory.Move(inside, parked);
                Directory.Move(link, inside);
                swaps++;
                Directory.Move(inside, link);
                Directory.Move(parked, inside);
            }
        });
        swapper.Start();
        var seen = new HashSet<string>();
        var watch = Stopwatch.StartNew();
        // On a busy machine a reader may meet the link alone for thousands of rounds.
        for (var i = 0; (i < Rounds || Volatile.Read(ref swaps) < Swaps || seen.Count == 0) && watch.Elapsed < Longest; i++)
        {
            if (guest.Open(Root, "d/secret", out var file, rights: Rights.FdRead) == Errno.Success)
            {
                seen.Add(guest.Read(file));
                guest.Call("fd_close", file);
            }

            if (isPortable) continue;
            // What makes, removes or moves is done in the directory that the kernel opened; it cannot be led out either.
            guest.Path("path_create_directory", Root, $"d/made{i % 10}");
            guest.Path("path_unlink_file", Root, "d/gone");
        }

        ended.Cancel();
        swapper.Join();
        Assert.True(swaps >= Swaps, $"only {swaps} swaps");
        Assert.Equal(["inside"], seen);
        Assert.Equal(["secret"], Directory.GetFileSystemEntries(_folder.Outside).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Changes_nothing_under_a_read_only_preopen(bool isPortable)
    {
        File.WriteAllText(Path.Join(_folder.Root, "a"), "A");
        Directory.CreateDirectory(Path.Join(_folder.Root, "d"));
        using var guest = _folder.Guest(isPortable, isReadOnly: true);
        var (x, a) = (guest.Text("x"), guest.Text("a"));

        Assert.Equal("A", guest.ReadAll(Root, "a"));
        Assert.Equal(Errno.Notcapable, guest.Open(Root, "a", out _, rights: Rights.FdWrite));
        Assert.Equal(Errno.Notcapable, guest.Open(Root, "a", out _, rights: Rights.FdRead | Rights.FdAllocate));
        Assert.Equal(Errno.Notcapable, guest.Open(Root, "a", out _, Oflags.Trunc, Rights.FdRead));
        Assert.Equal(Errno.Notcapable, guest.Open(Root, "x", out _, Oflags.Creat, Rights.FdRead));
        Assert.Equal(Errno.Notcapable, guest.Path("path_create_directory", Root, "x"));
        Assert.Equal(Errno.Notcapable, guest.Path("path_remove_directory", Root, "d"));
        Assert.Equal(Errno.Notcapable, guest.Path("path_unlink_file", Root, "a"));
        Assert.Equal(Errno.Notcapable, guest.Path("path_rename", Root, "a", Root, x.At, x.Length));
        Assert.Equal(Errno.Notcapable, guest.Call("path_link", Root, 0, a.At, a.Length, Root, x.At, x.Length));
        Assert.Equal(Errno.Notcapable, guest.Call("path_symlink", a.At, a.Length, Root, x.At, x.Length));
        Assert.Equal(Errno.Notcapable, guest.Call("path_filestat_set_times", Root, 0, a.At, a.Length, 0, 0, (uint)Fstflags.MtimNow));
        Assert.Equal(Errno.Notcapable, guest.Call("fd_filestat_set_times", Root, 0, 0, (uint)Fstflags.MtimNow));
        Assert.Equal(Errno.Success, guest.Open(Root, "d", out var dir, rights: Rights.Directory));
        Assert.Equal(Errno.Notcapable, guest.Path("path_create_directory", dir, "x"));
        Assert.Equal(Errno.Success, guest.Open(Root, "a", out var file, rights: Rights.FdRead | Rights.FdFilestatSetTimes));
        Assert.Equal(Errno.Notcapable, guest.Call("fd_filestat_set_times", file, 0, 0, (uint)Fstflags.MtimNow));
        Assert.Equal(["a", "d"], Directory.GetFileSystemEntries(_folder.Root).Select(Path.GetFileName).Order());
        Assert.Equal("A", File.ReadAllText(Path.Join(_folder.Root, "a")));
    }

    [Fact]
    public void Names_a_directory_that_is_not_there()
    {
        var missing = Path.Join(_folder.Root, "missing");

        Assert.Contains(missing, Assert.Throws<IOException>(() => new Guest(new() { Preopens = [new(missing, "/", false)] })).Message);
        Assert.Contains(missing, Assert.Throws<IOException>(
            () => new Guest(new() { Preopens = [new(missing, "/", false)], IsPortable = true })).Message);
    }

    [Theory]
    [InlineData("a", "a", "a", false)]
    [InlineData("a::/b", "a", "/b", false)]
    [InlineData("a::/b:ro", "a", "/b", true)]
    [InlineData("a:ro", "a", "a", true)]
    public void Reads_how_a_preopen_is_written(string text, string host, string guest, bool isReadOnly) =>
        Assert.Equal(new Preopen(host, guest, isReadOnly), Preopen.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("::/b")]
    [InlineData("a::")]
    [InlineData(":ro")]
    public void Refuses_a_preopen_without_a_path(string text) => Assert.Throws<FormatException>(() => Preopen.Parse(text));
}
