namespace Millrace.Wasm.Runtime.Memories;

/// <summary>What the images of an engine's modules hold, its bounds, and why one was not made.</summary>
sealed class ImageAccount(EngineOptions options)
{
    /// <summary>Each takes one of the process's file descriptors.</summary>
    public const int ImagesMax = 1_000;

    readonly Lock _gate = new();
    int _count;
    long _bytes;
    string? _refusal;

    /// <summary>The counts now.</summary>
    public MemoryImageCounts Counts
    {
        get
        {
            lock (_gate) return new(_count, _bytes, _refusal);
        }
    }

    public bool TryAdd(long bytes)
    {
        lock (_gate)
        {
            if (_count == ImagesMax)
            {
                _refusal = $"{ImagesMax} images are the most";
                return false;
            }
            if (bytes > options.MemoryImageBytesMax - _bytes)
            {
                _refusal = $"images of {_bytes} bytes and another of {bytes} are more than "
                    + $"{nameof(EngineOptions.MemoryImageBytesMax)} allows, {options.MemoryImageBytesMax}";
                return false;
            }
            _count++;
            _bytes += bytes;
            return true;
        }
    }

    public void Remove(long bytes)
    {
        lock (_gate)
        {
            _count--;
            _bytes -= bytes;
        }
    }

    public void Refuse(string reason)
    {
        lock (_gate) _refusal = reason;
    }
}
