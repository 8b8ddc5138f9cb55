using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Execution;

/// <summary>Blocks that tensors take one after another: what one needed is free as soon as its last reader has run.</summary>
sealed class Arena(long limit)
{
    const int Grain = 64;

    readonly List<byte[]> _free = [];
    long _held;
    long _used;
    long _peak;

    public byte[] Rent(int bytes)
    {
        var wanted = Math.Max(Grain, (bytes + (Grain - 1)) & -Grain);
        if (bytes > Array.MaxLength - Grain) wanted = bytes;
        var best = -1;
        for (var i = 0; i < _free.Count; i++)
        {
            // A block much too long would be missing where it fits.
            var length = _free[i].Length;
            if (length >= wanted && length / 4 <= wanted && (best < 0 || length < _free[best].Length)) best = i;
        }

        var block = best >= 0 ? _free[best] : Allocate(wanted);
        if (best >= 0) _free.RemoveAt(best);
        _used += block.Length;
        _peak = Math.Max(_peak, _used);
        return block;
    }

    public void Return(byte[] block)
    {
        _used -= block.Length;
        _free.Add(block);
    }

    /// <summary>After a computation: keeps what the next one of the same sizes needs, and not what others needed before.</summary>
    public void Settle()
    {
        if (_held > 2 * _peak)
        {
            foreach (var block in _free) _held -= block.Length;
            _free.Clear();
        }

        _peak = _used;
    }

    byte[] Allocate(int bytes)
    {
        if (_held + bytes > limit)
            throw new NnException(NnErrno.TooLarge, $"the model needs more than {limit >> 20} MiB for its tensors");
        try
        {
            // Zeroed: an output that a model leaves unwritten must not show what this process held before.
            var block = new byte[bytes];
            _held += bytes;
            return block;
        }
        catch (OutOfMemoryException)
        {
            throw new NnException(NnErrno.TooLarge, $"there is not enough memory for a tensor of {bytes} bytes");
        }
    }
}
