using System.Text;
using Millrace.Wasi;

namespace Millrace.Sandbox.Determinism;

/// <summary>A guest's standard output or error: counts the bytes and hands them on.</summary>
sealed class RunOutput(IRunHost host, OutputStream stream, long bytesMax) : Stream, IRoomStream
{
    long _offset;

    public long Room => bytesMax - _offset;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (buffer.Length == 0) return;
        host.Write(stream, _offset, buffer);
        _offset += buffer.Length;
    }

    /// <summary>A line of the host's about what the guest did; one that has no room is dropped.</summary>
    public void WriteLine(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        if (bytes.Length <= Room) Write(bytes);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush() { }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
