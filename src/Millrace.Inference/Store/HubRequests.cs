using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Millrace.Inference.Store;

/// <summary>
/// Requests to a hub and to whom it redirects. Redirects are followed here, one by one: the token goes to the hub
/// alone, and nothing that began encrypted goes on in the clear.
/// </summary>
sealed partial class HubRequests : IDisposable
{
    const int RedirectsMax = 10;
    const int TextBytesMax = 16 << 20;
    const int ConnectSeconds = 30;

    readonly ModelHubOptions _options;
    readonly HttpClient _http;

    public HubRequests(ModelHubOptions options)
    {
        _options = options;
        var transport = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(ConnectSeconds),
        };
        // A model takes hours on a slow line; stalls are found where bytes are read.
        _http = new(transport) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new("millrace", null));
    }

    /// <summary>Asks for a file's size, hash and name, not for the file.</summary>
    public async Task<RemoteModelFile> DescribeAsync(string source, Uri url, CancellationToken cancel)
    {
        var name = FileName(source, url);
        string? size = null, hash = null;
        void Look(HttpResponseMessage answer)
        {
            // The hub says these where it redirects to whoever has the bytes: its word is the one that counts.
            if (!ModelSource.IsSameServer(answer.RequestMessage!.RequestUri!, _options.Address)) return;
            size ??= Header(answer, "x-linked-size");
            hash ??= Hash(Header(answer, "x-linked-etag"));
        }

        using var response = await SendAsync(HttpMethod.Head, source, url, Look, null, cancel);
        var bytes = long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : response.Content.Headers.ContentLength;
        return new(source, name, url, bytes, hash, response.Headers.ETag?.ToString());
    }

    /// <summary>A page of text, and the address of the next one.</summary>
    public async Task<(string Text, Uri? Next)> ReadTextAsync(string source, Uri url, CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Get, source, url, null, null, cancel);
        await using var body = await response.Content.ReadAsStreamAsync(cancel);
        using var text = new MemoryStream();
        var buffer = new byte[64 << 10];
        for (int read; (read = await AwaitAsync(stall => body.ReadAsync(buffer, stall), Broken, cancel)) > 0;)
        {
            text.Write(buffer, 0, read);
            if (text.Length > TextBytesMax) throw new ModelHubException($"the hub's listing of {source} is too long");
        }

        string Broken(Exception e) => $"{source}: the connection to {url.Host} broke off: {Why(e)}";
        var next = NextPage().Match(Header(response, "link") ?? "");
        var found = next.Success && Uri.TryCreate(url, next.Groups[1].Value, out var address) ? address : null;
        return (System.Text.Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length), found);
    }

    /// <summary>Asks for a file's bytes, from an offset on.</summary>
    public Task<HttpResponseMessage> OpenAsync(
        RemoteModelFile file, long from, EntityTagHeaderValue? ifSame, CancellationToken cancel) =>
        SendAsync(HttpMethod.Get, file.Source, file.Url, null, request =>
        {
            if (from == 0) return;
            request.Headers.Range = new(from, null);
            if (ifSame is not null) request.Headers.IfRange = new(ifSame);
        }, cancel);

    async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string source, Uri url, Action<HttpResponseMessage>? look, Action<HttpRequestMessage>? add,
        CancellationToken cancel)
    {
        for (var i = 0; i <= RedirectsMax; i++)
        {
            var response = await SendOneAsync(method, source, url, add, cancel);
            look?.Invoke(response);
            if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable) return response;
            using (response)
            {
                if (!IsRedirect(response.StatusCode) || response.Headers.Location is not { } location) throw Refusal(source, response);
                var next = new Uri(url, location);
                if (next.Scheme is not ("http" or "https") || (url.Scheme == "https" && next.Scheme != "https"))
                    throw new ModelHubException($"{source}: {url.Host} redirects to an address that is not encrypted; nothing was fetched");
                url = next;
            }
        }

        throw new ModelHubException($"{source} is redirected more than {RedirectsMax} times");
    }

    async Task<HttpResponseMessage> SendOneAsync(
        HttpMethod method, string source, Uri url, Action<HttpRequestMessage>? add, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, url);
        // What is compressed on the way has no size to hold against the hub's word.
        request.Headers.AcceptEncoding.Add(new("identity"));
        if (_options.Token is { } token && ModelSource.IsSameServer(url, _options.Address))
            request.Headers.Authorization = new("Bearer", token);
        add?.Invoke(request);
        return await AwaitAsync(
            stall => new ValueTask<HttpResponseMessage>(_http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stall)),
            e => $"{source}: {url.Host} cannot be reached: {Why(e)}", cancel);
    }

    /// <summary>Waits for the other side; when it brings nothing for a while, or breaks off, that is said.</summary>
    /// <exception cref="HubBrokenException">It does.</exception>
    public async Task<T> AwaitAsync<T>(Func<CancellationToken, ValueTask<T>> ask, Func<Exception, string> message, CancellationToken cancel)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        stall.CancelAfter(_options.StallTimeout);
        try
        {
            return await ask(stall.Token);
        }
        catch (Exception e) when (e is IOException or HttpRequestException
            || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            throw new HubBrokenException(message(e), e);
        }
    }

    string Why(Exception failure)
    {
        if (failure is not OperationCanceledException) return failure.Message;
        // .NET's own end of a connection attempt says so inside.
        var seconds = failure.InnerException is TimeoutException ? ConnectSeconds : _options.StallTimeout.TotalSeconds;
        return string.Create(CultureInfo.InvariantCulture, $"nothing came for {seconds:0.#} s");
    }

    static bool IsRedirect(HttpStatusCode status) => status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found
        or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    Exception Refusal(string source, HttpResponseMessage response)
    {
        var host = response.RequestMessage!.RequestUri!.Host;
        var wait = response.Headers.RetryAfter is { } after
            ? after.Delta ?? (after.Date - _options.Time.GetUtcNow()) : null;
        // A date may be over already.
        if (wait < TimeSpan.Zero) wait = TimeSpan.Zero;
        return (int)response.StatusCode switch
        {
            401 => new ModelHubException(_options.Token is null
                ? $"{source}: {host} does not know it, or wants to know who asks (401): check the name, or set HF_TOKEN"
                : $"{source}: {host} does not accept the token in HF_TOKEN (401), or does not know the name"),
            403 => new ModelHubException(
                $"{source}: {host} refuses it (403): its licence must be accepted on its page first, and HF_TOKEN be of who accepted it"),
            404 => new ModelHubException($"{source}: {host} has no such repository or file (404); names differ by upper and lower case"),
            429 => new HubBrokenException($"{source}: {host} takes no more requests at the moment (429); {Later(wait)}", null, wait),
            >= 500 => new HubBrokenException($"{source}: {host} failed ({(int)response.StatusCode}); {Later(wait)}", null, wait),
            var status => new ModelHubException($"{source}: {host} answered {status}"),
        };
    }

    static string Later(TimeSpan? wait) => wait is { TotalSeconds: > 0 } time
        ? string.Create(CultureInfo.InvariantCulture, $"try again in {Math.Ceiling(time.TotalSeconds):0} s") : "try again later";

    static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.First() : null;

    /// <summary>A SHA-256, with or without quotes; null for tags that are something else.</summary>
    public static string? Hash(string? tag)
    {
        var text = tag?.Trim('"');
        return text is { Length: 64 } && text.All(char.IsAsciiHexDigit) ? text.ToLowerInvariant() : null;
    }

    static string FileName(string source, Uri url)
    {
        var name = Uri.UnescapeDataString(url.Segments[^1]);
        if (!SafeName().IsMatch(name))
        {
            throw new ModelHubException(
                $"{source} names no model file: it ends in .gguf and has letters, digits, '.', '-' and '_' only");
        }

        return name;
    }

    public void Dispose() => _http.Dispose();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,200}\.gguf\z")]
    private static partial Regex SafeName();

    [GeneratedRegex("<([^>]+)>\\s*;\\s*rel=\"?next\"?")]
    private static partial Regex NextPage();
}

/// <summary>What may work when it is tried again.</summary>
sealed class HubBrokenException(string message, Exception? inner, TimeSpan? wait = null) : Exception(message, inner)
{
    public TimeSpan? Wait { get; } = wait;
}
