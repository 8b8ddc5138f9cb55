using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Millrace.Flows.Tests.Operations;

/// <summary>A server on loopback that answers each request with the bytes that a test wrote down.</summary>
sealed class FakeFarServer : IDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _stop = new();
    readonly Func<string, byte[]?> _answer;

    /// <param name="answer">Of a request's text; null: the connection is closed without one.</param>
    public FakeFarServer(Func<string, byte[]?> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Origin => $"http://127.0.0.1:{Port}";

    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>While set, requests are read and not answered.</summary>
    public bool Hangs { get; set; }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    public static byte[] Response(int status, string headers, string body) =>
        Response(status, headers, Encoding.UTF8.GetBytes(body));

    public static byte[] Response(int status, string headers, byte[] body) =>
    [
        .. Encoding.ASCII.GetBytes(
            $"HTTP/1.1 {status} Said\r\ncontent-length: {body.Length}\r\n{headers}connection: close\r\n\r\n"),
        .. body,
    ];

    async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var request = await ReadAsync(stream);
                if (request.Length == 0) return;
                Requests.Enqueue(request);
                if (Hangs) await Task.Delay(Timeout.Infinite, _stop.Token);
                if (_answer(request) is { } answer) await stream.WriteAsync(answer);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The other side went away, or the test is over.
            }
        }
    }

    static async Task<string> ReadAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (true)
        {
            var count = await stream.ReadAsync(buffer);
            if (count == 0) return text.ToString();
            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
            var all = text.ToString();
            var end = all.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0 && all.Length - end - 4 >= LengthOf(all)) return all;
        }
    }

    static int LengthOf(string request)
    {
        const string Name = "content-length:";
        var at = request.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        if (at < 0) return 0;
        return int.Parse(request[(at + Name.Length)..request.IndexOf('\r', at)], null);
    }
}
