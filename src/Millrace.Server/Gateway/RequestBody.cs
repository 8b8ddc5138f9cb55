using Microsoft.AspNetCore.Http;

namespace Millrace.Server.Gateway;

/// <summary>Reads a request's body whole.</summary>
static class RequestBody
{
    /// <summary>What the largest sender known to us sends at most.</summary>
    public const int BytesMax = 25 << 20;

    const int FirstBytes = 256 << 10;

    /// <exception cref="ProblemException">It is too large, or ends before the length that was announced.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpRequest request, CancellationToken cancel)
    {
        if (request.ContentLength > BytesMax) throw TooLarge();
        // What is announced is not taken at its word: memory grows with what comes.
        using var bytes = new MemoryStream((int)Math.Min(request.ContentLength ?? 0, FirstBytes));
        try
        {
            await request.Body.CopyToAsync(bytes, cancel);
        }
        catch (BadHttpRequestException e)
        {
            throw e.StatusCode switch
            {
                StatusCodes.Status413PayloadTooLarge => TooLarge(),
                StatusCodes.Status408RequestTimeout => new ProblemException(
                    408, "timeout", "Request timed out", "The body came too slowly."),
                _ => Truncated(),
            };
        }
        if (request.ContentLength is { } announced && bytes.Length != announced) throw Truncated();
        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    static ProblemException TooLarge() =>
        new(413, "too-large", "Too large", $"A body has at most {BytesMax >> 20} MiB.");

    static ProblemException Truncated() =>
        new(400, "truncated", "Truncated body", "The body ends before the length that was announced.");
}
