using System.Collections.Immutable;
using System.Text;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Posix;

namespace Millrace.Wasi.Tests;

/// <summary>A temporary directory with a preopened one in it, and something outside worth reading.</summary>
sealed class HostFolder : IDisposable
{
    public const string Secret = "outside of the preopen";

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-wasi-");

    public HostFolder()
    {
        Directory.CreateDirectory(Root);
        Directory.CreateDirectory(Path.Join(_folder.FullName, "outside"));
        File.WriteAllText(Path.Join(_folder.FullName, "outside", "secret"), Secret);
    }

    public string Root => Path.Join(_folder.FullName, "root");

    public string Outside => Path.Join(_folder.FullName, "outside");

    public Guest Guest(bool isPortable, bool isReadOnly = false) => new(new()
    {
        Preopens = [new(Root, "/", isReadOnly)],
        IsPortable = isPortable,
    });

    public void Dispose() => _folder.Delete(recursive: true);
}

/// <summary>The kernel's files.</summary>
public sealed class PosixFilesTests : FilesCompliance
{
    readonly HostFolder _folder = new();

    public PosixFilesTests()
    {
        Assert.True(PosixDirectory.IsSupported);
        Guest = _folder.Guest(isPortable: false);
    }

    public override void Dispose()
    {
        base.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Keeps_synchronised_writing_as_it_was_opened()
    {
        var file = Guest.MustOpen(Root, "a", Oflags.Creat, flags: Fdflags.Sync);

        Assert.Equal(Errno.Success, Guest.Write(file, "x"));
        Assert.Equal(Errno.Notsup, Guest.Call("fd_fdstat_set_flags", file, 0));
        Assert.Equal(Errno.Success, Guest.Call("fd_fdstat_set_flags", file, (uint)(Fdflags.Sync | Fdflags.Append)));
    }

    [Fact]
    public void Does_not_block_where_it_was_told_not_to()
    {
        var pipe = Path.Join(_folder.Root, "pipe");
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", [pipe])) mkfifo.WaitForExit();
        // Linux opens a pipe for both at once without waiting for another end.
        using var writer = new FileStream(pipe, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        var reader = Guest.MustOpen(Root, "pipe", rights: Rights.FdRead | Rights.FdFdstatSetFlags, flags: Fdflags.Nonblock);

        Assert.Equal(Errno.Again, Guest.TryRead(reader, out _));
        writer.Write("now"u8);
        Assert.Equal("now", Guest.Read(reader));
        Assert.Equal(Errno.Spipe, Guest.Call("fd_pread", Guest.MustOpen(Root, "pipe", flags: Fdflags.Nonblock),
            Guest.Vectors((Guest.Buffer, 1)), 1, 0, Guest.Out));
    }

    [Fact]
    public void Lists_what_is_no_text_without_failing()
    {
        Guest.Create(Root, "grün", "");

        Assert.Contains("grün", Guest.List(Guest.MustOpenDirectory(Root, ".")).Select(e => e.Name));
    }
}

/// <summary>The same by .NET's own means.</summary>
public sealed class PortableFilesTests : FilesCompliance
{
    readonly HostFolder _folder = new();

    public PortableFilesTests() => Guest = _folder.Guest(isPortable: true);

    internal override bool HasHardLinks => false;

    public override void Dispose()
    {
        base.Dispose();
        _folder.Dispose();
    }
}

/// <summary>The files in memory of flow mode.</summary>
public sealed class MemoryFilesTests : FilesCompliance
{
    const long BytesMax = 100_000;

    public MemoryFilesTests() => Guest = NewGuest(ImmutableSortedDictionary<string, ReadOnlyMemory<byte>>.Empty);

    static Guest NewGuest(IReadOnlyDictionary<string, ReadOnlyMemory<byte>> assets) =>
        new(new() { Files = new(assets, BytesMax, () => 1_700_000_000_000_000_000) });

    static Guest WithAssets() => NewGuest(new Dictionary<string, ReadOnlyMemory<byte>>
    {
        ["/assets/b.txt"] = "B"u8.ToArray(),
        ["/assets/a.txt"] = "A"u8.ToArray(),
    });

    [Fact]
    public void Refuses_every_change_of_an_asset()
    {
        using var guest = WithAssets();
        var a = guest.Text("assets/a.txt");
        var x = guest.Text("x");

        Assert.Equal("A", guest.ReadAll(Root, "assets/a.txt"));
        Assert.Equal(Errno.Rofs, guest.Open(Root, "assets/a.txt", out _, rights: Rights.FdWrite));
        Assert.Equal(Errno.Rofs, guest.Open(Root, "assets/a.txt", out _, Oflags.Trunc, Rights.FdRead));
        Assert.Equal(Errno.Rofs, guest.Open(Root, "assets/new", out _, Oflags.Creat, Rights.File));
        Assert.Equal(Errno.Rofs, guest.Path("path_unlink_file", Root, "assets/a.txt"));
        Assert.Equal(Errno.Rofs, guest.Path("path_create_directory", Root, "assets/new"));
        Assert.Equal(Errno.Rofs, guest.Path("path_rename", Root, "assets/a.txt", Root, x.At, x.Length));
        Assert.Equal(Errno.Rofs, guest.Path("path_rename", Root, "assets", Root, x.At, x.Length));
        guest.Create(Root, "own", "");
        Assert.Equal(Errno.Rofs, guest.Path("path_rename", Root, "own", Root, a.At, a.Length));
        Assert.Equal(Errno.Rofs, guest.Call("path_link", Root, 0, a.At, a.Length, Root, x.At, x.Length));
        Assert.Equal(Errno.Rofs, guest.Call("path_filestat_set_times", Root, 0, a.At, a.Length, 0, 0, (uint)Fstflags.MtimNow));
        Assert.Equal("A", guest.ReadAll(Root, "assets/a.txt"));
    }

    [Fact]
    public void Lists_in_the_order_of_names()
    {
        using var guest = WithAssets();

        Assert.Equal([".", "..", "a.txt", "b.txt"], guest.List(guest.MustOpenDirectory(Root, "assets")).Select(e => e.Name));
    }

    [Fact]
    public void Holds_no_more_bytes_than_its_cap()
    {
        var file = Guest.MustOpen(Root, "a", Oflags.Creat);

        Assert.Equal(Errno.Nospc, Guest.Call("fd_filestat_set_size", file, BytesMax));
        Assert.Equal(Errno.Nospc, Guest.Call("fd_pwrite", file, Guest.Vectors(Guest.Text("x")), 1, BytesMax, Guest.Out));
        Assert.Equal(Errno.Fbig, Guest.Call("fd_filestat_set_size", file, 1L << 40));
        Assert.Equal(Errno.Fbig, Guest.Call("fd_pwrite", file, Guest.Vectors(Guest.Text("x")), 1, 1L << 40, Guest.Out));
        Assert.Equal(Errno.Success, Guest.Call("fd_filestat_set_size", file, BytesMax - 1000));
        Assert.Equal(Errno.Success, Guest.Call("fd_filestat_set_size", file, 0));
        Assert.Equal(Errno.Success, Guest.Call("fd_filestat_set_size", file, BytesMax - 1000));
    }

    [Fact]
    public void Charges_empty_files_too()
    {
        var made = 0;
        while (made < 1_000_000 && Guest.Path("path_create_directory", Root, $"d{made}") == Errno.Success) made++;

        Assert.InRange(made, 100, BytesMax / 256);
        Assert.Equal(Errno.Nospc, Guest.Path("path_create_directory", Root, "one-more"));
        Assert.Equal(Errno.Success, Guest.Path("path_remove_directory", Root, "d0"));
        Assert.Equal(Errno.Success, Guest.Path("path_create_directory", Root, "d0"));
    }

    [Fact]
    public void Gives_back_the_bytes_of_a_deleted_file_when_it_is_closed()
    {
        var file = Guest.MustOpen(Root, "a", Oflags.Creat);
        Guest.Call("fd_filestat_set_size", file, BytesMax - 1000);
        Guest.Path("path_unlink_file", Root, "a");
        var other = Guest.MustOpen(Root, "b", Oflags.Creat);
        Assert.Equal(Errno.Nospc, Guest.Call("fd_filestat_set_size", other, BytesMax - 1000));

        Guest.Call("fd_close", file);

        Assert.Equal(Errno.Success, Guest.Call("fd_filestat_set_size", other, BytesMax - 1000));
    }

    [Fact]
    public void Makes_nothing_in_a_directory_that_is_removed()
    {
        Guest.Path("path_create_directory", Root, "d");
        var dir = Guest.MustOpenDirectory(Root, "d");
        Guest.Path("path_remove_directory", Root, "d");

        Assert.Equal(Errno.Noent, Guest.Path("path_create_directory", dir, "x"));
        Assert.Equal(Errno.Noent, Guest.Open(dir, "x", out _, Oflags.Creat, Rights.File));
    }

    [Fact]
    public void Goes_on_listing_where_it_was_when_listings_grew_too_many()
    {
        using var guest = NewGuest(Enumerable.Range(0, 3000).ToDictionary(i => $"/a/{i:0000}", _ => default(ReadOnlyMemory<byte>)));
        var first = guest.MustOpenDirectory(Root, "a");
        Assert.Equal(Errno.Success, guest.Call("fd_readdir", first, Guest.Buffer, 28, 7, Guest.Out));
        Assert.Equal("0005", Encoding.UTF8.GetString(guest.Memory.Array, (int)Guest.Buffer + 24, 4));

        // Each of them holds a listing of its own; together they pass what the table keeps.
        for (var i = 0; i < 400; i++) guest.Call("fd_readdir", guest.MustOpenDirectory(Root, "a"), Guest.Buffer, 28, 0, Guest.Out);

        Assert.Equal(Errno.Success, guest.Call("fd_readdir", first, Guest.Buffer, 28, 8, Guest.Out));
        Assert.Equal("0006", Encoding.UTF8.GetString(guest.Memory.Array, (int)Guest.Buffer + 24, 4));
    }

    [Fact]
    public void Loses_nothing_by_a_rename_without_room()
    {
        Guest.Create(Root, "a", "A");
        var filler = Guest.MustOpen(Root, "filler", Oflags.Creat);
        var size = BytesMax;
        while (Guest.Call("fd_filestat_set_size", filler, size) != Errno.Success) size--;

        Assert.Equal(Errno.Nospc, Rename("a", new string('z', 200)));

        Assert.Equal("A", Guest.ReadAll(Root, "a"));
    }

    [Theory]
    [InlineData("relative")]
    [InlineData("/")]
    [InlineData("/a/../b")]
    public void Refuses_assets_without_a_place(string path) => Assert.Throws<ArgumentException>(
        () => NewGuest(new Dictionary<string, ReadOnlyMemory<byte>> { [path] = default }));
}
