using System.Net.Sockets;

namespace Millrace.Inference.Worker;

/// <summary>
/// A worker's connection to its host. Sends from any thread. It waits on the thread that reads: with an asynchronous
/// socket, the host's reading of each token woke two threads here, which took a twentieth of the computing time.
/// </summary>
sealed class HostLink : IDisposable
{
    readonly Stream _stream;
    readonly Lock _sending = new();

    /// <param name="stream">Both ways; closed with this.</param>
    public HostLink(Stream stream) => _stream = stream;

    public static HostLink Connect(string socketPath)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(socketPath));
        return new(new NetworkStream(socket, ownsSocket: true));
    }

    /// <summary>What the host says next; null when it is gone.</summary>
    public Frame? Read()
    {
        try
        {
            return Frame.Read(_stream);
        }
        catch (IOException)
        {
            // It was killed, and what it had not read resets the connection.
            return null;
        }
    }

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
            var bytes = frame.ToBytes();
            lock (_sending) _stream.Write(bytes);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The host is gone, and whoever reads is about to see it.
        }
    }

    public void Dispose() => _stream.Dispose();
}
