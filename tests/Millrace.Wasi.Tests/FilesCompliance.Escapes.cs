using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Tests;

/// <summary>No path and no link that a guest writes leads out.</summary>
public abstract partial class FilesCompliance
{
    [Theory]
    [InlineData("..")]
    [InlineData("../outside")]
    [InlineData("d/../../outside")]
    [InlineData("d/../..")]
    [InlineData("/etc/passwd")]
    [InlineData("/")]
    public void Never_leaves_by_path(string path)
    {
        Guest.Path("path_create_directory", Root, "d");

        AssertRefused(path);
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("..")]
    [InlineData("d/../../outside")]
    public void Never_leaves_by_a_link(string content)
    {
        Guest.Path("path_create_directory", Root, "d");
        Assert.Equal(Errno.Success, Symlink(content, "l"));

        Assert.Equal(Errno.Notcapable, Guest.Open(Root, "l", out _, rights: Rights.FdRead));
        Assert.Equal(Errno.Notcapable, Guest.Stat(Root, "l", out _));
        Assert.Equal(Errno.Notcapable, Guest.Open(Root, "l", out _, Oflags.Creat, Rights.File));
        foreach (var name in new[] { "path_create_directory", "path_remove_directory", "path_unlink_file" })
            Assert.Equal(Errno.Notcapable, Guest.Path(name, Root, "l/x"));
        Assert.Equal(Errno.Success, Guest.Stat(Root, "l", out _, follow: false));
    }

    [Fact]
    public void Makes_no_absolute_link() => Assert.Equal(Errno.Notcapable, Symlink("/etc", "l"));

    [Fact]
    public void Never_leaves_a_directory_by_its_own_descriptor()
    {
        Guest.Path("path_create_directory", Root, "d");
        Guest.Create(Root, "a", "");
        var dir = Guest.MustOpenDirectory(Root, "d");

        Assert.Equal(Errno.Notcapable, Guest.Open(dir, "../a", out _, rights: Rights.FdRead));
        Assert.Equal(Errno.Notcapable, Guest.Stat(dir, "..", out _));
    }

    void AssertRefused(string path)
    {
        Assert.Equal(Errno.Notcapable, Guest.Open(Root, path, out _, rights: Rights.FdRead));
        Assert.Equal(Errno.Notcapable, Guest.Open(Root, path, out _, Oflags.Directory, Rights.FdReaddir));
        Assert.Equal(Errno.Notcapable, Guest.Stat(Root, path, out _));
        foreach (var name in new[] { "path_create_directory", "path_remove_directory", "path_unlink_file" })
            Assert.Equal(Errno.Notcapable, Guest.Path(name, Root, path));
        Assert.Equal(Errno.Notcapable, Guest.Path("path_readlink", Root, path, Guest.Buffer, 10, Guest.Out));
        Assert.Equal(Errno.Notcapable, Symlink("x", path));
        Assert.Equal(Errno.Notcapable, Rename("d", path));
        Assert.Equal(Errno.Notcapable, Rename(path, "x"));
        if (HasHardLinks) Assert.Equal(Errno.Notcapable, Link(path, "x"));
        var (at, length) = Guest.Text(path);
        Assert.Equal(Errno.Notcapable, Guest.Call("path_filestat_set_times", Root, 1, at, length, 0, 0, (uint)Fstflags.AtimNow));
    }
}
