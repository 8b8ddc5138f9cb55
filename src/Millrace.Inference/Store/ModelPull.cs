using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Millrace.Inference.Store;

/// <summary>One file on its way into a folder.</summary>
sealed class ModelPull(
    ModelHubOptions options, HubRequests requests, RemoteModelFile file, string folder, IProgress<PullProgress>? progress)
{
    const int BufferBytes = 256 << 10;

    readonly ModelOrigin _origin = ModelOrigin.Of(file);
    readonly string _target = Path.Combine(folder, file.FileName);

    public async Task<PulledModel> RunAsync(CancellationToken cancel)
    {
        using var partial = await PartialFile.OpenAsync(_target, _origin, cancel);
        if (await FindThereAsync(cancel) is { } there) return there;
        CheckRoom(partial.Length);
        await FetchAsync(partial, cancel);
        var hash = partial.Sha256();
        if (file.Sha256 is { } right && hash != right)
        {
            partial.Restart();
            throw new ModelHubException(
                $"{file.FileName} is not the file that was announced, and was deleted: its SHA-256 is {hash}, not {right}");
        }

        // Without a hash of someone's who knows it, a page that says why there is no model would be one.
        if (file.Sha256 is null && !partial.IsGguf())
        {
            partial.Restart();
            throw new ModelHubException(
                $"{file.FileName} is no model, and was deleted: it does not begin with GGUF; {file.Url.Host} may have sent a page instead");
        }

        partial.Complete(_target, _origin with { Sha256 = hash, Bytes = partial.Length });
        return new(_target, partial.Length, hash, file.Sha256 is not null, WasThere: false);
    }

    /// <summary>The file under its name, if it is this one; null: there is none, or an older version of it.</summary>
    /// <exception cref="ModelHubException">There is another model of that name.</exception>
    async Task<PulledModel?> FindThereAsync(CancellationToken cancel)
    {
        if (!File.Exists(_target)) return null;
        var (bytes, origin) = (new FileInfo(_target).Length, ModelOrigin.Find(_target));
        var mayBe = file.Sha256 is not null
            ? file.Bytes is null || file.Bytes == bytes
            : origin is not null && (origin with { Sha256 = null }).IsSameAs(_origin);
        if (mayBe)
        {
            await using var stream = File.OpenRead(_target);
            var hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancel));
            if (hash == (file.Sha256 ?? origin?.Sha256)) return new(_target, bytes, hash, file.Sha256 is not null, WasThere: true);
        }

        if (origin?.Url == _origin.Url) return null;
        var name = Path.GetFileNameWithoutExtension(_target);
        throw new ModelHubException(
            $"{_target} is there already and is another file; remove it first: millrace models rm {name}");
    }

    void CheckRoom(long there)
    {
        if (file.Bytes is not { } total) return;
        var (needed, free) = (total - there, options.FreeBytes(folder));
        if (needed > free)
        {
            throw new ModelHubException(
                $"{file.FileName} needs {Size(needed)} more and {folder} has {Size(free)} free: make room and pull again");
        }
    }

    async Task FetchAsync(PartialFile partial, CancellationToken cancel)
    {
        var attempts = new Attempts(options);
        while (file.Bytes is null || partial.Length < file.Bytes)
        {
            var before = partial.Length;
            try
            {
                await FetchOnceAsync(partial, cancel);
                return;
            }
            catch (HubBrokenException e)
            {
                if (partial.Length > before) attempts.Succeeded();
                progress?.Report(new(partial.Length, file.Bytes, e.Message));
                await WaitAsync(attempts, e, partial.Length, cancel);
            }
        }
    }

    static async Task WaitAsync(Attempts attempts, HubBrokenException failure, long kept, CancellationToken cancel)
    {
        try
        {
            await attempts.WaitAsync(failure, cancel);
        }
        catch (ModelHubException e) when (kept > 0)
        {
            throw new ModelHubException($"{e.Message}; what came is kept, and the same command goes on from there", failure);
        }
    }

    async Task FetchOnceAsync(PartialFile partial, CancellationToken cancel)
    {
        // Where the hash is known it proves the whole in the end; else the server must say that it is still the same file.
        var ifSame = file.Sha256 is null && EntityTagHeaderValue.TryParse(file.ETag, out var tag) ? tag : null;
        using var response = await requests.OpenAsync(file, partial.Length, ifSame, cancel);
        CheckRange(partial, response);
        await using var body = await response.Content.ReadAsStreamAsync(cancel);
        var buffer = new byte[BufferBytes];
        for (int read; (read = await requests.AwaitAsync(stall => body.ReadAsync(buffer, stall), _ => Broken(partial.Length), cancel)) > 0;)
        {
            if (partial.Length + read > file.Bytes)
            {
                partial.Restart();
                throw new ModelHubException($"{file.FileName} is longer than the {file.Bytes} bytes that were announced; nothing was kept");
            }

            await partial.AppendAsync(buffer.AsMemory(0, read), cancel);
            progress?.Report(new(partial.Length, file.Bytes));
        }

        if (partial.Length < file.Bytes) throw new HubBrokenException(Broken(partial.Length), null);
    }

    void CheckRange(PartialFile partial, HttpResponseMessage response)
    {
        var content = response.Content.Headers;
        if (response.StatusCode == HttpStatusCode.PartialContent)
        {
            var all = content.ContentRange?.Length ?? file.Bytes;
            if (content.ContentRange?.From == partial.Length && (file.Bytes is null || all == file.Bytes)) return;
            partial.Restart();
            throw new HubBrokenException($"{file.FileName}: another part came than was asked for", null);
        }

        // Not a part: the server knows no parts, has another version now, or does not have as much.
        partial.Restart();
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            throw new HubBrokenException($"{file.FileName}: the server has no such part of it", null);
        if (file.Bytes is { } announced && content.ContentLength is { } length && length != announced)
            throw new ModelHubException($"{file.FileName}: {announced} bytes were announced and {length} are sent; pull again later");
    }

    string Broken(long at) =>
        $"{file.FileName}: the connection broke off after {Size(at)} of {(file.Bytes is { } all ? Size(all) : "it")}";

    static string Size(long bytes) => bytes switch
    {
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes"),
        < 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1073741824.0:0.0} GiB"),
    };
}
