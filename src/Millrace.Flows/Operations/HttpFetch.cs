using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;
using Millrace.Sandbox;

namespace Millrace.Flows.Operations;

/// <summary>
/// <c>http.fetch</c>: one attempt at a request. Secrets go in at this edge and come out of the answer here, so that
/// guest and journal see the same scrubbed bytes.
/// </summary>
sealed class HttpFetch(
    Func<string, Connection?> connections, Func<string, Integration?> integrations, Resolve resolve) : IDisposable
{
    const string Name = "http.fetch";
    const int RedirectsMax = 5;
    const int BodyBytesMax = 32 << 20;

    readonly FetchSender _sender = new(resolve);

    public BuiltIn BuiltIn => new(Name, KindOf, ExecuteAsync);

    public void Dispose() => _sender.Dispose();

    static OperationKind KindOf(OperationRequest request)
    {
        try
        {
            using var head = HeadJson.Object(request.Head, Name);
            return FetchRequest.IsRead(HeadJson.Text(head.RootElement, "method") ?? "GET")
                ? OperationKind.Read
                : OperationKind.Write;
        }
        catch (InvalidRequestException)
        {
            // It will be refused without anything being sent.
            return OperationKind.Read;
        }
    }

    async Task<OperationOutcome> ExecuteAsync(
        OperationContext context, OperationRequest request, CancellationToken cancel)
    {
        try
        {
            if (request.Body.Length > BodyBytesMax)
                return Error(context, ErrorResult.TooLarge, $"A request's body has at most {BodyBytesMax >> 20} MiB.");
            var fetch = FetchRequest.Read(request.Head);
            var permission = FetchPermission.Of(context, fetch, connections, integrations);
            return await new Attempt(_sender, context, fetch, permission, request.Body).RunAsync(cancel);
        }
        catch (InvalidRequestException e)
        {
            return Error(context, ErrorResult.Invalid, e.Message);
        }
        catch (DeniedException e)
        {
            return Error(context, ErrorResult.Denied, e.Message);
        }
    }

    static OperationOutcome Error(
        OperationContext context, string type, string detail, FailureKind failure = FailureKind.Final) =>
        new(ErrorResult.Of(context.Time, type, detail), failure);

    /// <summary>One attempt with its redirects.</summary>
    sealed class Attempt(
        FetchSender sender, OperationContext context, FetchRequest fetch, FetchPermission permission,
        ReadOnlyMemory<byte> body)
    {
        bool _isSent;
        bool _mayNotSend;

        bool IsRead => FetchRequest.IsRead(fetch.Method);

        public async Task<OperationOutcome> RunAsync(CancellationToken cancel)
        {
            using var timeout = new CancellationTokenSource(TimeLeft(), context.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
            try
            {
                return await FollowAsync(either.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException)
            {
                if (cancel.IsCancellationRequested || _mayNotSend) throw new OperationCanceledException(cancel);
                return Failed(e, timeout.IsCancellationRequested);
            }
        }

        TimeSpan TimeLeft()
        {
            var left = context.Deadline - context.Time.GetUtcNow();
            if (fetch.Timeout < left) left = fetch.Timeout;
            // A paid request is no write: a model may think for longer than a write may be on its way.
            if (context.Kind == OperationKind.Write && context.SendDeadline < left) left = context.SendDeadline;
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }

        async Task<OperationOutcome> FollowAsync(CancellationToken cancel)
        {
            var (url, account) = (fetch.Url, permission.Account);
            for (var hop = 0; ; hop++)
            {
                using var message = FetchSender.Message(fetch, fetch.Method, url, body);
                if (account is not null) SecretInjection.Apply(message, fetch.Auth!, account, body.Span);
                using var transport = IsRead ? null : sender.ForWrite(permission.AllowsPrivate, BeforeSend);
                if (transport is null) BeforeSend();
                using var response = transport is null
                    ? await sender.ReadAsync(message, permission.AllowsPrivate, cancel)
                    : await transport.SendAsync(message, cancel);
                if (NextUrl(response, url) is not { } next) return await AnswerAsync(response, url, cancel);
                if (hop == RedirectsMax)
                    return Error(context, ErrorResult.Upstream, $"More than {RedirectsMax} redirects.");
                CheckRedirect(next);
                // The secret belongs to the origin that it was given for.
                if (HostPattern.Of(next) != HostPattern.Of(url)) account = null;
                url = next;
            }
        }

        /// <summary>
        /// Where the answer redirects to; null when it is the answer. A method that writes is sent on only where the
        /// status says that it is to be repeated as it is.
        /// </summary>
        Uri? NextUrl(HttpResponseMessage response, Uri url)
        {
            var isFollowed = (int)response.StatusCode is 307 or 308
                || (int)response.StatusCode is 301 or 302 or 303 && IsRead;
            if (!isFollowed || response.Headers.Location is not { } location) return null;
            if (!Uri.TryCreate(url, location, out var next)) return null;
            return FetchRequest.ReadUrl(next.AbsoluteUri);
        }

        void CheckRedirect(Uri next)
        {
            try
            {
                permission.Check(next);
            }
            catch (DeniedException e)
            {
                throw new DeniedException("The server redirects. " + e.Message);
            }
        }

        void BeforeSend()
        {
            try
            {
                context.BeforeSend();
            }
            catch (OperationCanceledException)
            {
                _mayNotSend = true;
                throw;
            }
            _isSent = true;
        }

        async Task<OperationOutcome> AnswerAsync(HttpResponseMessage response, Uri url, CancellationToken cancel)
        {
            var status = (int)response.StatusCode;
            if (await ReadBodyAsync(response, cancel) is not { } bytes)
            {
                var isApplied = !IsRead && response.IsSuccessStatusCode;
                return Error(context, ErrorResult.TooLarge,
                    $"The answer is larger than {fetch.ResponseBytesMax} bytes.",
                    isApplied ? FailureKind.InDoubt : FailureKind.Final);
            }
            var head = new JsonObject
            {
                ["status"] = status,
                ["headers"] = Headers(response),
                ["url"] = permission.Scrubber.Scrub(url.AbsoluteUri),
            };
            var result = new OperationResult(
                ResultState.Done, JsonSerializer.SerializeToUtf8Bytes(head), permission.Scrubber.Scrub(bytes),
                Clock.Ns(context.Time));
            var retryAfter = FetchSender.RetryAfter(response.Headers, context.Time);
            return new OperationOutcome(result, FailureOf(status, retryAfter)) { RetryAfter = retryAfter };
        }

        static FailureKind FailureOf(int status, TimeSpan? retryAfter) => status switch
        {
            429 => FailureKind.NotSent,
            403 or 503 when retryAfter is not null => FailureKind.NotSent,
            >= 500 => FailureKind.Transient,
            _ => FailureKind.Final,
        };

        /// <summary>Null when there is more than the request takes.</summary>
        async Task<byte[]?> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancel)
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancel);
            using var bytes = new MemoryStream();
            var buffer = new byte[16 << 10];
            for (int count; (count = await stream.ReadAsync(buffer, cancel)) > 0;)
            {
                if (bytes.Length + count > fetch.ResponseBytesMax) return null;
                bytes.Write(buffer, 0, count);
            }
            return bytes.ToArray();
        }

        /// <summary>What frames the message is the host's, and a cookie would be a secret.</summary>
        JsonObject Headers(HttpResponseMessage response)
        {
            var headers = new JsonObject();
            var all = response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated)
                .Select(header => (Name: header.Key.ToLowerInvariant(), Value: string.Join(", ", header.Value)))
                .Where(header => header.Name is not ("set-cookie" or "connection" or "keep-alive" or "transfer-encoding"
                    or "trailer" or "upgrade" or "content-length" or "content-encoding" or "www-authenticate"))
                .OrderBy(header => header.Name, StringComparer.Ordinal);
            foreach (var (name, value) in all) headers[name] = permission.Scrubber.Scrub(value);
            return headers;
        }

        OperationOutcome Failed(Exception failure, bool isTimeout)
        {
            var host = fetch.Url.Host;
            if (Inner<AddressRefusedException>(failure) is { } refused)
                return Error(context, ErrorResult.Denied, refused.Message);
            if (isTimeout)
            {
                return _isSent
                    ? Error(context, ErrorResult.TimeOut, $"{host} did not answer in time.", FailureKind.InDoubt)
                    : Error(context, ErrorResult.TimeOut, $"{host} could not be reached in time.");
            }
            return (failure as HttpRequestException)?.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError =>
                    Unavailable($"The name '{host}' does not resolve.", FailureKind.NotSent),
                HttpRequestError.ConnectionError =>
                    Unavailable($"{host} does not take connections.", FailureKind.NotSent),
                // Asking again meets the same certificate; nothing of the request was sent.
                HttpRequestError.SecureConnectionError =>
                    Unavailable($"No secure connection to {host}: its certificate or protocol is not accepted.",
                        FailureKind.Final),
                _ when !_isSent => Unavailable($"{host} could not be reached.", FailureKind.NotSent),
                _ => Unavailable($"The connection to {host} broke before its answer was complete.",
                    FailureKind.Transient),
            };
        }

        OperationOutcome Unavailable(string detail, FailureKind kind) =>
            Error(context, ErrorResult.Unavailable, detail, kind);

        static T? Inner<T>(Exception? failure) where T : Exception
        {
            for (; failure is not null; failure = failure.InnerException)
            {
                if (failure is T wanted) return wanted;
            }
            return null;
        }
    }
}
