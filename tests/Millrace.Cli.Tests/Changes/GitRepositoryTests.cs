using Millrace.Cli.Changes;

namespace Millrace.Cli.Tests.Changes;

public sealed class GitRepositoryTests : IDisposable
{
    readonly ScratchRepository _scratch = new();

    [Fact]
    public async Task A_range_shows_what_a_pull_request_shows()
    {
        _scratch.Commit("one", ("a.txt", "1\n"));
        _scratch.Git("checkout", "-q", "-b", "topic");
        var head = _scratch.Commit("two\n\nwhy", ("b.txt", "2\n"));
        _scratch.Git("checkout", "-q", "main");
        _scratch.Commit("three", ("a.txt", "3\n"));
        var repository = await GitRepository.OpenAsync(_scratch.Folder, default);

        foreach (var range in (string[])["main..topic", "main...topic"])
        {
            var change = await repository.RangeAsync(range, default);

            Assert.Equal("b.txt", Assert.Single(change.Files).Path);
            Assert.Equal(("two", "why", head), (change.Title, change.Body, change.HeadSha));
        }
    }

    [Fact]
    public async Task The_working_tree_includes_untracked_files_and_leaves_the_index_alone()
    {
        _scratch.Commit("one", ("a.txt", "1\n"));
        _scratch.Write("new.txt", "x\n");
        _scratch.Write("a.txt", "2\n");
        var before = _scratch.Git("status", "--porcelain");
        var repository = await GitRepository.OpenAsync(_scratch.Folder, default);

        var change = await repository.WorkingTreeAsync(default);

        Assert.Equal(["a.txt", "new.txt"], change.Files.Select(file => file.Path));
        Assert.Equal(before, _scratch.Git("status", "--porcelain"));
    }

    [Fact]
    public async Task A_wrong_revision_says_what_to_look_at()
    {
        _scratch.Commit("one", ("a.txt", "1\n"));
        var repository = await GitRepository.OpenAsync(_scratch.Folder, default);

        var error = await Assert.ThrowsAsync<GitException>(() => repository.RangeAsync("nowhere..HEAD", default));

        Assert.Contains("`nowhere` is no commit", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_outside_any_repository_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory("millrace-");

        await Assert.ThrowsAsync<GitException>(() => GitRepository.OpenAsync(folder.FullName, default));

        folder.Delete();
    }

    [Fact]
    public async Task A_file_that_is_not_utf8_keeps_its_bytes_in_the_diff()
    {
        _scratch.Commit("one", ("a.txt", "1\n"));
        File.WriteAllBytes(Path.Combine(_scratch.Folder, "latin.txt"), [0xe9, (byte)'\n']);
        var repository = await GitRepository.OpenAsync(_scratch.Folder, default);

        var change = await repository.WorkingTreeAsync(default);

        Assert.True(change.Diff.Span.IndexOf((byte)0xe9) > 0);
        Assert.Contains('\ufffd', Assert.Single(change.Files).Hunks!);
    }

    public void Dispose() => _scratch.Dispose();
}
