using Millrace.Inference.TensorFlowLite.Execution;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>
/// Offsets of the image's and the filter's channels under a window, position after position. Inside the image all windows
/// are alike but for where they start.
/// </summary>
ref struct Taps
{
    readonly Windows _windows;
    readonly Span<(int Image, int Filter)> _whole;
    readonly Span<(int Image, int Filter)> _part;
    int _batch;
    int _y;
    int _x;

    public Taps(Call call, Windows windows)
    {
        _windows = windows;
        var (height, width) = (windows.Height, windows.Width);
        _whole = call.Scratch<(int, int)>(height.Window * width.Window);
        _part = call.Scratch<(int, int)>(_whole.Length);
        for (var i = 0; i < _whole.Length; i++)
        {
            var (j, k) = (i / width.Window, i % width.Window);
            _whole[i] = ((j * height.Dilation * width.Size + k * width.Dilation) * windows.Channels, i * windows.GroupChannels);
        }
    }

    /// <summary>Where the image's offsets of the last position count from.</summary>
    public int Start { get; private set; }

    /// <summary>The taps at the next position; the first is the first.</summary>
    public ReadOnlySpan<(int Image, int Filter)> Next()
    {
        var (y, x) = (_y, _x);
        if (++_x == _windows.Width.Count) (_x, _y) = (0, _y + 1);
        var first = _batch * _windows.Height.Size;
        if (_y == _windows.Height.Count) (_y, _batch) = (0, _batch + 1);
        var (top, left) = (_windows.Height.From(y), _windows.Width.From(x));
        if (_windows.Height.IsInside(top) && _windows.Width.IsInside(left))
        {
            Start = ((first + top) * _windows.Width.Size + left) * _windows.Channels;
            return _whole;
        }

        Start = first * _windows.Width.Size * _windows.Channels;
        return _part[..Part(y, x)];
    }

    readonly int Part(int y, int x)
    {
        var count = 0;
        for (var j = 0; j < _windows.Height.Window; j++)
        {
            var row = _windows.Height.At(y, j);
            for (var k = 0; row >= 0 && k < _windows.Width.Window; k++)
            {
                var column = _windows.Width.At(x, k);
                if (column < 0) continue;
                _part[count++] = (
                    (row * _windows.Width.Size + column) * _windows.Channels, (j * _windows.Width.Window + k) * _windows.GroupChannels);
            }
        }

        return count;
    }
}
