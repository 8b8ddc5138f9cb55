namespace Millrace.Wasi;

/// <summary>An output stream with a cap: past it a guest's write answers <c>fbig</c>.</summary>
public interface IRoomStream
{
    /// <summary>Bytes that may still be written.</summary>
    long Room { get; }
}
