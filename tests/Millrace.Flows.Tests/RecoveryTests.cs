using Millrace.Flows.Storage;

namespace Millrace.Flows.Tests;

public sealed class RecoveryTests
{
    [Fact]
    public async Task A_second_server_is_told_that_the_data_folder_is_taken()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();

        var failure = await Assert.ThrowsAsync<PlatformException>(
            () => Platform.OpenAsync(new PlatformOptions { DataFolder = test.Folder }));

        Assert.Equal(PlatformError.DataFolderLocked, failure.Error);
        Assert.Contains("Another server", failure.Message);
    }

    [Fact]
    public async Task A_run_on_a_full_disk_waits_and_goes_on_when_there_is_space()
    {
        await using var test = new TestPlatform();
        SqliteStore? store = null;
        test.Store = opened => store = (SqliteStore)opened;
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            door.Call("outside.post", """{"text":"a"}""");
            for (var i = 0; i < 4; i++) door.Write(new string('x', 60_000));
            door.Call("outside.put", """{"text":"b"}""");
            return 0;
        });
        await store!.LimitAsync(pages: 55);

        var id = await test.SendAsync();
        await WriteTests.UntilAsync(test, id, _ =>
        {
            lock (test.Notices) return test.Notices.Any(n => n.Contains("disk", StringComparison.Ordinal));
        });
        await store.LimitAsync(pages: 1_000_000);
        var run = await test.EndAsync(id);

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal(240_000, (await test.OutputAsync(id)).Length);
        Assert.Single(test.Outside.Applied, applied => applied.Path == "/posts");
    }

    [Fact]
    public async Task A_run_that_falls_due_while_the_queue_is_read_is_not_forgotten()
    {
        await using var test = new TestPlatform();
        SqliteStore? store = null;
        test.Store = opened => SlowLeases.Around(store = (SqliteStore)opened);
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            // Its journal row commits the lease too, so that the run is put back and not only rolled back.
            door.Call("outside.post", "{}");
            for (var i = 0; i < 4; i++) door.Write(new string('x', 60_000));
            return 0;
        });
        await store!.LimitAsync(pages: 55);

        // The full disk puts the run back until a second later, which passes between the two looks at the queue.
        var id = await test.SendAsync();
        await WriteTests.UntilAsync(test, id, _ => { lock (test.Notices) return test.Notices.Count > 0; });
        await store.LimitAsync(pages: 1_000_000);

        Assert.Equal(RunOutcome.Completed, (await test.EndAsync(id)).Summary.Outcome);
    }

    [Fact]
    public async Task An_open_child_of_a_read_is_entered_again_with_what_it_has()
    {
        await using var test = new TestPlatform();
        var gets = 0;
        var arrived = new TaskCompletionSource();
        var never = new TaskCompletionSource();
        test.Outside.Arrived = _ =>
        {
            if (Interlocked.Increment(ref gets) != 2) return Task.CompletedTask;
            arrived.TrySetResult();
            return never.Task;
        };
        await test.OpenAsync();
        await test.DeployAsync(door => (int)door.Call("outside.read").State);
        test.Reprogram(door =>
        {
            for (var i = 0; i < 3; i++) door.Call("http.fetch", """{"method":"GET","url":"/posts"}""");
            door.Write("{}\n");
            return 0;
        }, "outside");
        var id = await test.SendAsync();
        await arrived.Task.WaitAsync(TestPlatform.Timeout);
        await WriteTests.UntilAsync(test, id, run => run.Operations is [{ Children: [{ Operations.Length: 2 }] }]);

        await test.CrashAsync();
        var run = await test.EndAsync(id);

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal(3, Assert.Single(run.Operations[0].Children).Operations.Length);
        // The first answer came from the journal; the second request was on its way and is asked again.
        Assert.Equal(4, gets);
    }
}
