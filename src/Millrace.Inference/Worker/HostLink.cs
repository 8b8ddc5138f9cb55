using System.Net.Sockets;

namespace Millrace.Inference.Worker;

/// <summary>A worker's connection to its host. Sends from any thread.</summary>
sealed class HostLink : IAsyncDisposable
{
    readonly Stream _stream;
    readonly Lock _sending = new();

    /// <param name="stream">Both ways; closed with this.</param>
    public HostLink(Stream stream) => _stream = stream;

    public static async Task<HostLink> ConnectAsync(string socketPath)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath));
        return new(new NetworkStream(socket, ownsSocket: true));
    }

    /// <summary>What the host says next; null when it is gone.</summary>
    public Task<Frame?> ReadAsync() => Frame.ReadAsync(_stream, default);

    /// <summary>Tells the host. What is too large for a frame becomes the request's error.</summary>
    public void Send(Frame frame)
    {
        try
        {
            Write(frame);
        }
        catch (InferenceException e)
        {
            Write(Frame.Failure(frame.Id, e));
        }
    }

    void Write(Frame frame)
    {
        try
        {
            lock (_sending) Frame.WriteAsync(_stream, frame, default).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The host is gone, and whoever reads is about to see it.
        }
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();
}
