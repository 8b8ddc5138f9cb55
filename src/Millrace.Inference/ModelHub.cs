using Millrace.Inference.Store;

namespace Millrace.Inference;

/// <summary>How a hub is reached.</summary>
public sealed record ModelHubOptions
{
    /// <summary>The hub that <c>hf:</c> means unless told otherwise.</summary>
    public static readonly Uri AddressStandard = new("https://huggingface.co");

    /// <summary>Where the hub answers.</summary>
    public Uri Address { get; init; } = AddressStandard;

    /// <summary>Sent to the hub and to no other host; null: none.</summary>
    public string? Token { get; init; }

    /// <summary>Clock of the waits between attempts.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>First wait after a broken connection; it doubles. One that brought bytes starts anew.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Attempts in a row that bring nothing.</summary>
    public int AttemptsMax { get; init; } = 5;

    /// <summary>How long a connection may bring nothing before it counts as broken.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Free bytes at a folder.</summary>
    public Func<string, long> FreeBytes { get; init; } = folder => new DriveInfo(folder).AvailableFreeSpace;
}

/// <summary>A model file elsewhere.</summary>
/// <param name="Source">As it was asked for.</param>
/// <param name="FileName">What it is called here.</param>
/// <param name="Url">Where it lies.</param>
/// <param name="Bytes">Its size as announced; null: it is not.</param>
/// <param name="Sha256">Its hash in lower-case hex as the hub or the user names it; null: nobody does.</param>
/// <param name="ETag">Its version where it lies; null: none.</param>
public sealed record RemoteModelFile(string Source, string FileName, Uri Url, long? Bytes, string? Sha256, string? ETag);

/// <summary>How far a pull is.</summary>
/// <param name="Bytes">Bytes here.</param>
/// <param name="Total">Bytes in all; null: not announced.</param>
/// <param name="Waits">Why nothing comes now; null: it does.</param>
public sealed record PullProgress(long Bytes, long? Total, string? Waits = null);

/// <summary>A pulled model.</summary>
/// <param name="Path">The file.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its hash.</param>
/// <param name="IsVerified">Whether the hash is the one that hub or user named.</param>
/// <param name="WasThere">It lay here already, the same.</param>
public sealed record PulledModel(string Path, long Bytes, string Sha256, bool IsVerified, bool WasThere);

/// <summary>A model cannot be pulled; the message says why and what to do.</summary>
public sealed class ModelHubException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Fetches model files: from a hub that speaks Hugging Face's protocol (<c>hf:org/repo[/file]</c>), or from a URL. Size
/// and hash are the hub's own words; a broken pull goes on where it stopped.
/// </summary>
public sealed class ModelHub : IDisposable
{
    readonly ModelHubOptions _options;
    readonly HubRequests _requests;

    /// <summary>Nothing is sent yet.</summary>
    public ModelHub(ModelHubOptions options) => (_options, _requests) = (options, new(options));

    /// <summary>Finds what a source means: <c>hf:org/repo</c>, <c>hf:org/repo/file.gguf</c> or a URL.</summary>
    /// <param name="source">The source.</param>
    /// <param name="sha256">The file's hash as the user knows it; null: the hub's word counts.</param>
    /// <param name="cancel">Breaks it off.</param>
    /// <exception cref="ModelHubException">There is no such model, or it cannot be had.</exception>
    public async Task<RemoteModelFile> FindAsync(string source, string? sha256, CancellationToken cancel)
    {
        var attempts = new Attempts(_options);
        while (true)
        {
            try
            {
                return await FindOnceAsync(source, Checked(sha256), cancel);
            }
            catch (HubBrokenException e)
            {
                await attempts.WaitAsync(e, cancel);
            }
        }
    }

    async Task<RemoteModelFile> FindOnceAsync(string source, string? sha256, CancellationToken cancel)
    {
        var wanted = ModelSource.Parse(source, _options.Address);
        var (url, bytes, hash) = wanted is { Repository: not null, Path: null }
            ? await HubTree.ChooseAsync(_requests, _options.Address, wanted, cancel)
            : (wanted.Url!, (long?)null, null);
        var file = await _requests.DescribeAsync(source, url, cancel);
        // The listing and the file are asked one after the other: where both name a hash, they name the same one.
        if (hash is not null && file.Sha256 is not null && hash != file.Sha256)
            throw new ModelHubException($"{source} changed at the hub just now; pull again");
        return file with { Bytes = file.Bytes ?? bytes, Sha256 = sha256 ?? file.Sha256 ?? hash };
    }

    static string? Checked(string? sha256)
    {
        if (sha256 is null) return null;
        return sha256.Length == 64 && sha256.All(char.IsAsciiHexDigit)
            ? sha256.ToLowerInvariant()
            : throw new ModelHubException($"'{sha256}' is no SHA-256: it has 64 hex digits");
    }

    /// <summary>
    /// Fetches a file into a folder. Until it is whole and its hash is right it is called <c>.partial</c>; what is there of it is kept.
    /// </summary>
    /// <exception cref="ModelHubException">It cannot be had, does not fit, or is another file than announced.</exception>
    public async Task<PulledModel> PullAsync(
        RemoteModelFile file, string folder, IProgress<PullProgress>? progress, CancellationToken cancel)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return await new ModelPull(_options, _requests, file, folder, progress).RunAsync(cancel);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelHubException(DiskFull.Is(e)
                ? $"the disk of {folder} is full: make room and pull again; it goes on where it stopped"
                : $"{file.FileName} cannot be written to {folder}: {e.Message}", e);
        }
    }

    /// <summary>Ends connections.</summary>
    public void Dispose() => _requests.Dispose();
}
