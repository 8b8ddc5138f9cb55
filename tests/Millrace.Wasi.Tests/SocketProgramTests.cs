using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Millrace.Wasi.Abi;
using Millrace.Wasm;

namespace Millrace.Wasi.Tests;

/// <summary>Whole programs with sockets: what they import, what they reach, and how a stop ends them.</summary>
public sealed class SocketProgramTests
{
    /// <summary>The exit code of a program that met no error.</summary>
    const int Done = 100;

    /// <summary>Answers what it hears in one connection after the other, until nothing more comes.</summary>
    sealed class EchoServer : IDisposable
    {
        readonly Socket _listener;

        public EchoServer(IPAddress address)
        {
            _listener = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            _listener.Bind(new IPEndPoint(address, 0));
            _listener.Listen();
            _ = Task.Run(ServeAsync);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

        public int Connections { get; private set; }

        public void Dispose() => _listener.Dispose();

        async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var peer = await _listener.AcceptAsync();
                    Connections++;
                    var buffer = new byte[64];
                    while (await peer.ReceiveAsync(buffer) is > 0 and var count)
                        await peer.SendAsync(buffer.AsMemory(0, count));
                }
            }
            catch (SocketException)
            {
            }
            catch (ObjectDisposedException)
            {
            }
        }
    }

    /// <summary>Connects, says "ping", prints what comes back, and exits with the first errno that it meets.</summary>
    static byte[] Client(IPAddress address, int port) => WatText.ToBinary($$"""
        (module
          (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_connect" (func $connect (param i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_shutdown" (func $shutdown (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_getpeeraddr" (func $peer1 (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_getpeeraddr" (func $peer2 (param i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "{{Escaped(address)}}")
          (data (i32.const 32) "\00\00\00\00{{Length(address)}}\00\00\00")
          (data (i32.const 48) "\40\00\00\00\04\00\00\00")
          (data (i32.const 64) "ping")
          (data (i32.const 80) "\60\00\00\00\10\00\00\00")
          (data (i32.const 128) "\00\01\00\00\80\00\00\00")
          (func $must (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))
          (func (export "_start") (local $fd i32)
            (call $must (call $open (i32.const {{(address.AddressFamily == AddressFamily.InterNetwork ? 1 : 2)}}) (i32.const 2) (i32.const 200)))
            (local.set $fd (i32.load (i32.const 200)))
            (call $must (call $connect (local.get $fd) (i32.const 32) (i32.const {{port}})))
            (call $must (call $peer2 (local.get $fd) (i32.const 128) (i32.const 216)))
            (if (i32.ne (i32.load (i32.const 216)) (i32.const {{port}})) (then (call $exit (i32.const 102))))
            (i32.store (i32.const 132) (i32.const 16))
            (call $must (call $peer1 (local.get $fd) (i32.const 128) (i32.const 220) (i32.const 216)))
            (if (i32.ne (i32.load (i32.const 216)) (i32.const {{port}})) (then (call $exit (i32.const 103))))
            (call $must (call $send (local.get $fd) (i32.const 48) (i32.const 1) (i32.const 0) (i32.const 204)))
            (call $must (call $recv (local.get $fd) (i32.const 80) (i32.const 1) (i32.const 0) (i32.const 84) (i32.const 208)))
            (call $must (call $write (i32.const 1) (i32.const 80) (i32.const 1) (i32.const 204)))
            (i32.store (i32.const 84) (i32.const 16))
            (call $must (call $shutdown (local.get $fd) (i32.const 2)))
            (call $must (call $recv (local.get $fd) (i32.const 80) (i32.const 1) (i32.const 0) (i32.const 212) (i32.const 208)))
            (if (i32.load (i32.const 212)) (then (call $exit (i32.const 101))))
            (call $exit (i32.const {{Done}}))))
        """);

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void A_client_talks_to_a_granted_address(string text)
    {
        var address = IPAddress.Parse(text);
        if (address.AddressFamily == AddressFamily.InterNetworkV6 && !Socket.OSSupportsIPv6) return;
        using var server = new EchoServer(address);
        var stdout = new MemoryStream();

        var end = ProgramRun.Execute(
            Client(address, server.Port), new() { Connect = [new(text, server.Port)], Stdout = stdout });

        Assert.Equal((Done, ""), (end.ExitCode, end.Message));
        Assert.Equal("ping", Encoding.UTF8.GetString(stdout.ToArray()));
    }

    [Fact]
    public void A_granted_name_lets_its_address_through()
    {
        using var server = new EchoServer(IPAddress.Loopback);

        var end = ProgramRun.Execute(
            Client(IPAddress.Loopback, server.Port), new() { Connect = [new("localhost", server.Port)] });

        Assert.Equal((Done, ""), (end.ExitCode, end.Message));
    }

    [Fact]
    public void What_is_not_granted_is_not_reached()
    {
        using var server = new EchoServer(IPAddress.Loopback);
        var client = Client(IPAddress.Loopback, server.Port);
        WasiOptions[] refused =
        [
            new(),
            new() { Connect = [new("127.0.0.1", server.Port ^ 1)] },
            new() { Connect = [new("127.0.0.2", server.Port)] },
            new() { Listen = [new("127.0.0.1", server.Port)] },
        ];

        foreach (var options in refused)
            Assert.Equal((int)Errno.Acces, ProgramRun.Execute(client, options).ExitCode);

        Assert.Equal(0, server.Connections);
    }

    /// <summary>Listens, then accepts a first connection with two parameters and a second with three, in one module.
    /// Polls before each, and echoes once.</summary>
    static byte[] Server(int port) => WatText.ToBinary($$"""
        (module
          (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_bind" (func $bind (param i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_listen" (func $listen (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_accept" (func $accept1 (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_accept" (func $accept2 (param i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_recv_from" (func $recv1 (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "sock_recv_from" (func $recv2 (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "\7f\00\00\01")
          (data (i32.const 32) "\00\00\00\00\04\00\00\00")
          (data (i32.const 80) "\60\00\00\00\10\00\00\00")
          (data (i32.const 128) "\00\01\00\00\80\00\00\00")
          (func $must (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))
          (func (export "_start") (local $fd i32) (local $peer i32)
            (call $must (call $open (i32.const 1) (i32.const 2) (i32.const 200)))
            (local.set $fd (i32.load (i32.const 200)))
            (call $must (call $bind (local.get $fd) (i32.const 32) (i32.const {{port}})))
            (call $must (call $listen (local.get $fd) (i32.const 8)))
            (i32.store8 (i32.const 520) (i32.const 1))
            (i32.store (i32.const 528) (local.get $fd))
            (call $must (call $poll (i32.const 512) (i32.const 600) (i32.const 1) (i32.const 204)))
            (call $must (call $accept1 (local.get $fd) (i32.const 200)))
            (local.set $peer (i32.load (i32.const 200)))
            (i32.store (i32.const 132) (i32.const 16))
            (call $must (call $recv1 (local.get $peer) (i32.const 80) (i32.const 1) (i32.const 128) (i32.const 0) (i32.const 84) (i32.const 208)))
            (if (i32.ne (i32.load (i32.const 256)) (i32.const 0x0100007f)) (then (call $exit (i32.const 101))))
            (call $must (call $write (local.get $peer) (i32.const 80) (i32.const 1) (i32.const 204)))
            (i32.store (i32.const 84) (i32.const 16))
            (i32.store (i32.const 132) (i32.const 128))
            (call $must (call $accept2 (local.get $fd) (i32.const 0) (i32.const 200)))
            (local.set $peer (i32.load (i32.const 200)))
            (call $must (call $recv2 (local.get $peer) (i32.const 80) (i32.const 1) (i32.const 128) (i32.const 0) (i32.const 212) (i32.const 84) (i32.const 208)))
            (if (i32.ne (i32.load16_u (i32.const 256)) (i32.const 1)) (then (call $exit (i32.const 102))))
            (call $must (call $write (local.get $peer) (i32.const 80) (i32.const 1) (i32.const 204)))
            (call $exit (i32.const {{Done}}))))
        """);

    [Fact]
    public async Task A_server_imports_both_signatures_of_one_name()
    {
        var port = FreePort();
        var run = Task.Run(() => ProgramRun.Execute(
            Server(port), new() { Listen = [new("127.0.0.1", port)] }, new() { Timeout = TimeSpan.FromSeconds(60) }));

        for (var i = 0; i < 2; i++)
        {
            using var client = await ConnectAsync(port, run);
            await client.SendAsync("hello"u8.ToArray());
            var buffer = new byte[16];
            var count = await client.ReceiveAsync(buffer);
            Assert.Equal("hello", Encoding.UTF8.GetString(buffer, 0, count));
        }

        var end = await run;
        Assert.Equal((Done, ""), (end.ExitCode, end.Message));
    }

    [Fact]
    public void Listening_is_granted_apart_from_connecting()
    {
        var port = FreePort();

        var end = ProgramRun.Execute(Server(port), new() { Connect = [new("127.0.0.1", port)] });

        Assert.Equal((int)Errno.Acces, end.ExitCode);
    }

    [Fact]
    public void A_timeout_ends_a_program_that_waits_for_a_connection()
    {
        var port = FreePort();
        var watch = Stopwatch.StartNew();

        var end = ProgramRun.Execute(
            Server(port), new() { Listen = [new("127.0.0.1", port)] }, new() { Timeout = TimeSpan.FromMilliseconds(200) });

        Assert.Equal((134, "stopped: its 0.2 s are over"), (end.ExitCode, end.Message));
        // By the wait's own end: a thread that did not notice would leave no backtrace.
        Assert.NotEmpty(end.Backtrace);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20));
    }

    [Theory]
    [InlineData("127.0.0.1:80", "127.0.0.1", 80)]
    [InlineData("[::1]:443", "::1", 443)]
    [InlineData("example.org:*", "example.org", null)]
    [InlineData("*:53", "*", 53)]
    [InlineData("*:*", "*", null)]
    public void Reads_grants(string text, string host, int? port) =>
        Assert.Equal(new NetworkGrant(host, port), NetworkGrant.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("example.org")]
    [InlineData("example.org:")]
    [InlineData(":80")]
    [InlineData("::1:80")]
    [InlineData("example.org:65536")]
    [InlineData("example.org:-1")]
    [InlineData("a b:80")]
    [InlineData("*.org:80")]
    [InlineData("http://example.org:80")]
    public void Refuses_what_is_no_grant(string text) => Assert.Throws<FormatException>(() => NetworkGrant.Parse(text));

    static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    /// <summary>Connects as soon as the program listens.</summary>
    static async Task<Socket> ConnectAsync(int port, Task<ProgramEnd> run)
    {
        while (true)
        {
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await client.ConnectAsync(IPAddress.Loopback, port);
                return client;
            }
            catch (SocketException) when (!run.IsCompleted)
            {
                client.Dispose();
                await Task.Yield();
            }
        }
    }

    static string Escaped(IPAddress address) => string.Concat(address.GetAddressBytes().Select(value => $"\\{value:x2}"));

    static string Length(IPAddress address) => $"\\{address.GetAddressBytes().Length:x2}";
}
