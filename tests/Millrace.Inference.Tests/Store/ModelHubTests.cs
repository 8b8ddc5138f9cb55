using Microsoft.AspNetCore.Http;

namespace Millrace.Inference.Tests.Store;

/// <summary>Pulling models from a stand-in of the hub.</summary>
public sealed class ModelHubTests : IDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    readonly CancellationTokenSource _cancel = new(Patience);
    readonly string _folder = Directory.CreateTempSubdirectory("millrace-pull-").FullName;

    [Fact]
    public async Task A_file_of_a_repository_is_pulled_through_a_redirect_and_the_token_stays_at_the_hub()
    {
        await using var fake = await StartAsync("model-Q8_0.gguf", 3_000_000);

        var pulled = await PullAsync(fake, FakeHub.Source + "/model-Q8_0.gguf", fake.Options with { Token = "hf_secret" });

        Assert.Equal(fake.Files["model-Q8_0.gguf"], await File.ReadAllBytesAsync(pulled.Path));
        Assert.True(pulled is { IsVerified: true, WasThere: false, Bytes: 3_000_000 });
        Assert.All(fake.AtHub, seen => Assert.Equal("Bearer hf_secret", seen.Authorization));
        Assert.NotEmpty(fake.AtBytes);
        Assert.All(fake.AtBytes, seen => Assert.Null(seen.Authorization));
        Assert.Equal(["model-Q8_0.gguf", "model-Q8_0.gguf.json"], Names());
    }

    [Fact]
    public async Task Of_a_repository_the_usual_quantisation_is_taken_never_a_projector_or_a_part()
    {
        await using var fake = await StartAsync("model-Q4_K_M.gguf", 1000);
        foreach (var name in new[] { "model-Q8_0.gguf", "mmproj-Q4_K_M.gguf", "big-Q4_K_M-00001-of-00002.gguf", "README.md" })
            fake.Files[name] = [1];

        var pulled = await PullAsync(fake);

        Assert.Equal("model-Q4_K_M.gguf", Path.GetFileName(pulled.Path));
    }

    [Fact]
    public async Task A_repository_with_several_models_asks_for_a_name_and_lists_them()
    {
        await using var fake = await StartAsync("a-Q5_0.gguf", 10);
        fake.Files["b-Q8_0.gguf"] = [1];

        var refused = await RefusedAsync(() => PullAsync(fake));

        Assert.Contains("name one, as hf:org/repo/a-Q5_0.gguf: a-Q5_0.gguf, b-Q8_0.gguf", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_breaks_is_gone_on_with_from_where_it_broke()
    {
        await using var fake = await StartAsync("m.gguf", 2_000_000);
        var breaks = 3;
        fake.BytesFault = async (context, content) =>
        {
            if (context.Request.Method == "HEAD" || breaks-- <= 0) return false;
            await SendAndBreakAsync(context, content, 300_000);
            return true;
        };

        var pulled = await PullAsync(fake);

        Assert.Equal(fake.Files["m.gguf"], await File.ReadAllBytesAsync(pulled.Path));
        var ranges = fake.AtBytes.Where(seen => seen.Method == "GET").Select(seen => seen.Range).ToList();
        Assert.Equal(4, ranges.Count);
        Assert.Null(ranges[0]);
        Assert.All(ranges[1..], range => Assert.StartsWith("bytes=", range, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_pull_that_was_broken_off_goes_on_in_the_next_one()
    {
        await using var fake = await StartAsync("m.gguf", 2_000_000);
        fake.BytesFault = async (context, content) =>
        {
            if (context.Request.Method == "HEAD") return false;
            if (context.Request.Headers.Range.Count > 0) context.Abort();
            else await SendAndBreakAsync(context, content, 1_000_000);
            return true;
        };
        var refused = await RefusedAsync(() => PullAsync(fake));
        var kept = new FileInfo(Path.Combine(_folder, "m.gguf.partial")).Length;
        fake.BytesFault = null;

        var pulled = await PullAsync(fake);

        Assert.Contains("the same command goes on from there", refused, StringComparison.Ordinal);
        Assert.InRange(kept, 1, 1_000_000);
        Assert.Equal(fake.Files["m.gguf"], await File.ReadAllBytesAsync(pulled.Path));
        Assert.Equal($"bytes={kept}-", fake.AtBytes.Last().Range);
        Assert.Equal(["m.gguf", "m.gguf.json"], Names());
    }

    [Fact]
    public async Task What_is_kept_of_another_version_is_thrown_away()
    {
        await using var fake = await StartAsync("m.gguf", 500_000);
        await BreakOffAsync(fake);
        fake.Files["m.gguf"] = Content(600_000, seed: 2);

        var pulled = await PullAsync(fake);

        Assert.Equal(fake.Files["m.gguf"], await File.ReadAllBytesAsync(pulled.Path));
        Assert.Null(fake.AtBytes.Last().Range);
    }

    [Fact]
    public async Task A_server_that_knows_no_parts_sends_the_whole_anew()
    {
        await using var fake = await StartAsync("m.gguf", 500_000);
        await BreakOffAsync(fake);
        fake.BytesFault = async (context, content) =>
        {
            if (context.Request.Method == "HEAD") return false;
            await context.Response.Body.WriteAsync(content);
            return true;
        };

        var pulled = await PullAsync(fake);

        Assert.Equal(fake.Files["m.gguf"], await File.ReadAllBytesAsync(pulled.Path));
    }

    [Fact]
    public async Task Of_a_plain_address_a_broken_pull_goes_on_only_while_the_tag_is_the_same()
    {
        await using var fake = await StartAsync("m.gguf", 500_000);
        var source = $"{fake.BytesAddress}blobs/m.gguf";
        await BreakOffAsync(fake, source);
        fake.Files["m.gguf"] = Content(500_000, seed: 2);

        var pulled = await PullAsync(fake, source);

        Assert.Equal(fake.Files["m.gguf"], await File.ReadAllBytesAsync(pulled.Path));
        Assert.False(pulled.IsVerified);
        Assert.Equal(FakeHub.Sha256(fake.Files["m.gguf"]), pulled.Sha256);
        Assert.True((await PullAsync(fake, source)).WasThere);
    }

    [Fact]
    public async Task A_wrong_hash_leaves_nothing_behind()
    {
        await using var fake = await StartAsync("m.gguf", 100_000);
        fake.Announced = new string('a', 64);

        var refused = await RefusedAsync(() => PullAsync(fake));

        Assert.Contains($"not {fake.Announced}", refused, StringComparison.Ordinal);
        Assert.Empty(Names());
    }

    [Fact]
    public async Task A_page_in_place_of_a_model_is_none()
    {
        await using var fake = await StartAsync("m.gguf", 1000);
        fake.Files["m.gguf"] = "<html>Please sign in.</html>"u8.ToArray();

        var refused = await RefusedAsync(() => PullAsync(fake, $"{fake.BytesAddress}blobs/m.gguf"));

        Assert.Contains("is no model, and was deleted: it does not begin with GGUF", refused, StringComparison.Ordinal);
        Assert.Empty(Names());
    }

    [Fact]
    public async Task A_hash_that_the_user_knows_counts_for_an_address_without_one()
    {
        await using var fake = await StartAsync("m.gguf", 1000);
        using var hub = new ModelHub(fake.Options);
        var right = FakeHub.Sha256(fake.Files["m.gguf"]);

        var file = await hub.FindAsync($"{fake.BytesAddress}blobs/m.gguf", right.ToUpperInvariant(), _cancel.Token);
        var bad = await RefusedAsync(() => hub.FindAsync(FakeHub.Source, "abc", _cancel.Token));

        Assert.True((await hub.PullAsync(file, _folder, null, _cancel.Token)).IsVerified);
        Assert.Equal("'abc' is no SHA-256: it has 64 hex digits", bad);
    }

    [Theory]
    [InlineData(400_000)]
    [InlineData(600_000)]
    public async Task A_body_of_another_length_than_announced_is_no_model(int sent)
    {
        await using var fake = await StartAsync("m.gguf", 500_000);
        fake.BytesFault = async (context, _) =>
        {
            if (context.Request.Method == "HEAD") return false;
            await context.Response.Body.WriteAsync(new byte[sent]);
            return true;
        };

        await RefusedAsync(() => PullAsync(fake));

        Assert.DoesNotContain("m.gguf", Names());
    }

    [Theory]
    [InlineData(401, "or set HF_TOKEN")]
    [InlineData(403, "its licence must be accepted on its page first")]
    [InlineData(404, "no such repository or file (404)")]
    [InlineData(418, "answered 418")]
    public async Task What_the_hub_refuses_is_said_with_the_way_out(int status, string words)
    {
        await using var fake = await StartAsync("m.gguf", 10);
        fake.HubFault = context =>
        {
            context.Response.StatusCode = status;
            return Task.FromResult(true);
        };

        var refused = await RefusedAsync(() => PullAsync(fake));

        Assert.Contains(words, refused, StringComparison.Ordinal);
        Assert.Single(fake.AtHub);
        Assert.Empty(Names());
    }

    [Fact]
    public async Task A_hub_that_wants_a_long_wait_is_not_waited_for()
    {
        await using var fake = await StartAsync("m.gguf", 10);
        fake.HubFault = context => BusyAsync(context, "120");

        var refused = await RefusedAsync(() => PullAsync(fake));

        Assert.Contains("takes no more requests at the moment (429); try again in 120 s", refused, StringComparison.Ordinal);
        Assert.Single(fake.AtHub);
    }

    [Fact]
    public async Task A_hub_that_is_busy_or_down_for_a_moment_is_asked_again()
    {
        await using var fake = await StartAsync("m.gguf", 10);
        var faults = 2;
        fake.HubFault = context => faults-- > 0 ? BusyAsync(context, "0") : Task.FromResult(false);

        Assert.Equal(10, (await PullAsync(fake)).Bytes);
    }

    [Fact]
    public async Task A_hub_that_names_a_time_that_is_over_is_asked_again_at_once()
    {
        await using var fake = await StartAsync("m.gguf", 10);
        var faults = 1;
        fake.HubFault = context => faults-- > 0 ? BusyAsync(context, "Wed, 21 Oct 2015 07:28:00 GMT") : Task.FromResult(false);

        Assert.Equal(10, (await PullAsync(fake)).Bytes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_hub_that_says_nothing_or_stops_in_the_middle_is_not_waited_for_without_end(bool hasBegun)
    {
        await using var fake = await StartAsync("m.gguf", 10);
        fake.HubFault = async context =>
        {
            if (hasBegun) await BeginListAsync(context);
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default);
            return true;
        };

        var refused = await RefusedAsync(() => PullAsync(
            fake, FakeHub.Source, fake.Options with { StallTimeout = TimeSpan.FromSeconds(0.5), AttemptsMax = 2 }));

        Assert.Contains("nothing came for 0.5 s", refused, StringComparison.Ordinal);
        Assert.Equal(2, fake.AtHub.Count);
    }

    [Fact]
    public async Task A_listing_that_breaks_off_is_asked_for_again()
    {
        await using var fake = await StartAsync("m.gguf", 10);
        var faults = 1;
        fake.HubFault = async context =>
        {
            if (faults-- <= 0) return false;
            await BeginListAsync(context);
            await AbortAsync(context);
            return true;
        };

        Assert.Equal(10, (await PullAsync(fake)).Bytes);
    }

    static async Task BeginListAsync(HttpContext context)
    {
        context.Response.ContentLength = 1000;
        await context.Response.Body.WriteAsync("[{"u8.ToArray());
        await context.Response.Body.FlushAsync();
    }

    [Fact]
    public async Task A_hub_that_is_not_there_is_said_so()
    {
        var fake = await StartAsync("m.gguf", 10);
        var options = fake.Options;
        await fake.DisposeAsync();

        Assert.Contains("127.0.0.1 cannot be reached", await RefusedAsync(() => PullAsync(fake, FakeHub.Source, options)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_disk_without_room_is_seen_before_anything_is_fetched()
    {
        await using var fake = await StartAsync("m.gguf", 100_000);

        var refused = await RefusedAsync(() => PullAsync(fake, FakeHub.Source, fake.Options with { FreeBytes = _ => 99_999 }));

        Assert.Contains("needs 100000 bytes more and", refused, StringComparison.Ordinal);
        Assert.DoesNotContain(fake.AtBytes, seen => seen.Method == "GET");
        Assert.Empty(Names());
    }

    [SkippableFact]
    public async Task A_disk_that_fills_up_during_a_pull_is_said_so()
    {
        Skip.IfNot(File.Exists("/dev/full"), "there is no /dev/full, which is full always");
        await using var fake = await StartAsync("m.gguf", 100_000);
        File.CreateSymbolicLink(Path.Combine(_folder, "m.gguf.partial"), "/dev/full");

        var refused = await RefusedAsync(() => PullAsync(fake));

        Assert.Contains("is full: make room and pull again", refused, StringComparison.Ordinal);
        Assert.DoesNotContain("m.gguf", Names());
    }

    [Fact]
    public async Task Two_pulls_of_one_file_do_not_write_into_each_other()
    {
        await using var fake = await StartAsync("m.gguf", 500_000);
        var (begun, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        fake.BytesFault = async (context, _) =>
        {
            if (context.Request.Method == "HEAD") return false;
            begun.TrySetResult();
            await go.Task;
            return false;
        };
        var first = PullAsync(fake);
        await begun.Task.WaitAsync(Patience);

        var refused = await RefusedAsync(() => PullAsync(fake));
        go.SetResult();

        Assert.Equal("m.gguf is being pulled already, by another process", refused);
        Assert.Equal(500_000, (await first).Bytes);
    }

    [Fact]
    public async Task A_model_that_is_there_is_not_fetched_again_and_a_newer_version_is()
    {
        await using var fake = await StartAsync("m.gguf", 50_000);
        await PullAsync(fake);
        var fetched = fake.AtBytes.Count(seen => seen.Method == "GET");

        var again = await PullAsync(fake);
        fake.Files["m.gguf"] = Content(50_000, seed: 2);
        var newer = await PullAsync(fake);

        Assert.True(again.WasThere);
        Assert.False(newer.WasThere);
        Assert.Equal(fetched + 1, fake.AtBytes.Count(seen => seen.Method == "GET"));
        Assert.Equal(fake.Files["m.gguf"], await File.ReadAllBytesAsync(newer.Path));
    }

    [Fact]
    public async Task Another_model_of_that_name_is_never_overwritten()
    {
        await using var fake = await StartAsync("m.gguf", 50_000);
        var own = Path.Combine(_folder, "m.gguf");
        await File.WriteAllTextAsync(own, "mine");

        var refused = await RefusedAsync(() => PullAsync(fake));

        Assert.Contains("millrace models rm m", refused, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(own));
        Assert.Equal(4, ModelFolder.Remove(_folder, "m"));
        Assert.Null(ModelFolder.Remove(_folder, "m"));
        Assert.Null(ModelFolder.Remove(_folder, "../m"));
    }

    [Fact]
    public async Task Redirects_without_end_and_to_elsewhere_than_http_are_refused()
    {
        await using var fake = await StartAsync("m.gguf", 10);
        string? target = null;
        fake.HubFault = context =>
        {
            context.Response.Redirect(target ?? context.Request.Path);
            return Task.FromResult(true);
        };

        var endless = await RefusedAsync(() => PullAsync(fake));
        target = "file:///etc/passwd";
        var file = await RefusedAsync(() => PullAsync(fake));

        Assert.Contains("redirected more than 10 times", endless, StringComparison.Ordinal);
        Assert.Contains("not encrypted; nothing was fetched", file, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hf:org", "names no repository")]
    [InlineData("hf:org/../x.gguf", "names no repository")]
    [InlineData("model", "is no source of a model")]
    [InlineData("ftp://127.0.0.1/m.gguf", "is no source of a model")]
    [InlineData("https://me:secret@127.0.0.1/m.gguf", "leave user and password out")]
    [InlineData("hf:org/repo/README.md", "names no model file")]
    [InlineData("hf:org/repo/m.gguf\n", "names no model file")]
    public async Task A_source_that_means_no_model_is_refused(string source, string words)
    {
        await using var fake = await StartAsync("README.md", 10);

        Assert.Contains(words, await RefusedAsync(() => PullAsync(fake, source)), StringComparison.Ordinal);
    }

    static byte[] Content(int bytes, int seed = 1)
    {
        var content = new byte[bytes];
        new Random(seed).NextBytes(content);
        "GGUF"u8[..Math.Min(4, bytes)].CopyTo(content);
        return content;
    }

    static async Task<FakeHub> StartAsync(string file, int bytes)
    {
        var fake = await FakeHub.StartAsync();
        fake.Files[file] = Content(bytes);
        return fake;
    }

    async Task<PulledModel> PullAsync(FakeHub fake, string source = FakeHub.Source, ModelHubOptions? options = null)
    {
        using var hub = new ModelHub(options ?? fake.Options);
        return await hub.PullAsync(await hub.FindAsync(source, null, _cancel.Token), _folder, null, _cancel.Token);
    }

    /// <summary>Leaves a part of the file in the folder.</summary>
    async Task BreakOffAsync(FakeHub fake, string source = FakeHub.Source)
    {
        fake.BytesFault = async (context, content) =>
        {
            if (context.Request.Method == "HEAD") return false;
            if (context.Request.Headers.Range.Count > 0) context.Abort();
            else await SendAndBreakAsync(context, content, 100_000);
            return true;
        };
        await RefusedAsync(() => PullAsync(fake, source));
        fake.BytesFault = null;
        Assert.Contains("m.gguf.partial", Names());
    }

    /// <summary>Some bytes from where the range begins, and then nothing more.</summary>
    static async Task SendAndBreakAsync(HttpContext context, byte[] content, int bytes)
    {
        var range = context.Request.Headers.Range.ToString();
        var from = range.Length == 0 ? 0 : int.Parse(range["bytes=".Length..^1], System.Globalization.CultureInfo.InvariantCulture);
        context.Response.StatusCode = range.Length == 0 ? 200 : 206;
        context.Response.ContentLength = content.Length - from;
        if (range.Length > 0) context.Response.Headers.ContentRange = $"bytes {from}-{content.Length - 1}/{content.Length}";
        context.Response.Headers.ETag = $"\"{FakeHub.Sha256(content)[..8]}\"";
        await context.Response.Body.WriteAsync(content.AsMemory(from, Math.Min(bytes, content.Length - from)));
        await context.Response.Body.FlushAsync();
        await AbortAsync(context);
    }

    static async Task AbortAsync(HttpContext context)
    {
        // What was sent shall arrive: an abort may overtake it.
        await Task.Delay(50);
        context.Abort();
    }

    static Task<bool> BusyAsync(HttpContext context, string seconds)
    {
        context.Response.StatusCode = 429;
        context.Response.Headers.RetryAfter = seconds;
        return Task.FromResult(true);
    }

    static async Task<string> RefusedAsync(Func<Task> act) => (await Assert.ThrowsAsync<ModelHubException>(act)).Message;

    string[] Names() => [.. Directory.EnumerateFileSystemEntries(_folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    public void Dispose()
    {
        _cancel.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
