using Millrace.Flows.Storage;

namespace Millrace.Flows.Tests;

public sealed class SqliteStoreTests : StoreCompliance, IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("millrace-store-").FullName;

    string DatabasePath => Path.Combine(_folder, "millrace.db");

    private protected override IStore Open() => SqliteStore.Open(DatabasePath);

    private protected override IStore Reopen() => SqliteStore.Open(DatabasePath);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public async Task The_file_is_its_owners_alone()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no file modes.");
        await using var store = Open();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(DatabasePath));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4096)]
    public async Task A_damaged_database_is_refused_and_left_as_it_is(int offset)
    {
        await (Open()).DisposeAsync();
        var bytes = await File.ReadAllBytesAsync(DatabasePath);
        new Random(3).NextBytes(bytes.AsSpan(offset, 3000));
        await File.WriteAllBytesAsync(DatabasePath, bytes);

        var failure = Assert.Throws<PlatformException>(() => Open());

        Assert.Equal(PlatformError.DatabaseDamaged, failure.Error);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(DatabasePath));
    }

    [Fact]
    public async Task A_database_of_a_later_version_is_refused()
    {
        await (Open()).DisposeAsync();
        using (var session = new SqliteSession(DatabasePath, isWriter: true)) session.Execute("PRAGMA user_version=999");

        Assert.Equal(PlatformError.DatabaseTooNew, Assert.Throws<PlatformException>(() => Open()).Error);
    }

    [Fact]
    public async Task On_a_full_disk_a_write_fails_with_a_reason_and_works_when_there_is_space()
    {
        await using var store = SqliteStore.Open(DatabasePath);
        await store.AcceptAsync(Event("1", 10), []);
        await store.LimitAsync(pages: 60);

        var failure = await Assert.ThrowsAsync<PlatformException>(() => store.AcceptAsync(Event("2", 2_000_000), []));
        var small = await store.AcceptAsync(Event("3", 10), []);
        await store.LimitAsync(pages: 1_000_000);
        var again = await store.AcceptAsync(Event("2", 2_000_000), []);

        Assert.Equal(PlatformError.DiskFull, failure.Error);
        Assert.False(small.IsDuplicate);
        Assert.False(again.IsDuplicate);
    }

    [Fact]
    public async Task What_is_posted_together_is_committed_together()
    {
        await using var store = SqliteStore.Open(DatabasePath);
        await store.AcceptAsync(Event("0", 10), []);
        var before = store.Commits;

        await Task.WhenAll(Enumerable.Range(1, 200).Select(i => store.AcceptAsync(Event($"{i}", 10), [])));

        Assert.InRange(store.Commits - before, 1, 100);
    }

    [Fact]
    public async Task A_crash_loses_what_was_not_committed_and_nothing_else()
    {
        var store = SqliteStore.Open(DatabasePath);
        await store.AcceptAsync(Event("1", 10), []);
        store.Abort();
        await Assert.ThrowsAsync<PlatformException>(() => store.AcceptAsync(Event("2", 10), []));

        await using var again = Open();

        Assert.True((await again.AcceptAsync(Event("1", 10), [])).IsDuplicate);
        Assert.False((await again.AcceptAsync(Event("2", 10), [])).IsDuplicate);
    }

    [Fact]
    public async Task A_journal_has_no_holes_after_a_failed_commit()
    {
        await using var store = SqliteStore.Open(DatabasePath);
        await store.AcceptAsync(Event("1", 10), [new("a", "flow", 1, null, default, new byte[32])]);
        var run = (await store.LeaseAsync("me", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 1))[0];
        await store.LimitAsync(pages: 50);
        var large = new Wrote(Sandbox.OutputStream.Result, 0, new byte[1_000_000], 1);
        var small = new Wrote(Sandbox.OutputStream.Result, 1_000_000, [1], 1);

        await Assert.ThrowsAsync<PlatformException>(() => store.AppendAsync(run.Number, 0, true, large));
        await store.LimitAsync(pages: 1_000_000);
        await Assert.ThrowsAsync<PlatformException>(() => store.AppendAsync(run.Number, 0, true, small));
        await Assert.ThrowsAsync<PlatformException>(() => store.EndAsync(run.Number, new() { Outcome = 0, EndedMs = 1 }));
        await store.ReleaseAsync(run, isLost: false, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
        await store.AppendAsync(run.Number, 0, true, large);

        Assert.Equal(1_000_000, (await store.JournalAsync(run.Number, 0)).ResultBytes);
    }

    static NewEvent Event(string id, int bytes) => new("test", id, "http", "{}", new byte[bytes], 1);
}
