namespace Millrace.Nn.Images;

/// <summary>
/// A picture of three channels in another size, as stb_image_resize does it by default: cubic, Mitchell's filter where
/// it shrinks and Catmull-Rom's where it grows, edges repeated, on the numbers as they are.
/// </summary>
sealed class Resize
{
    const int Channels = 3;
    const double Support = 2;

    readonly Weights[] _columns;
    readonly Weights[] _rows;
    readonly float[] _sum;
    readonly float[] _row;

    public Resize(int width, int height, int widthTo, int heightTo)
    {
        (_columns, _rows) = (Axis(width, widthTo), Axis(height, heightTo));
        (_sum, _row) = (new float[width * Channels], new float[width * Channels]);
    }

    /// <summary>One line of the result.</summary>
    /// <param name="read">Puts a line of the picture into an array.</param>
    public void Line(int y, Action<int, float[]> read, float[] line)
    {
        Array.Clear(_sum);
        for (var i = 0; i < _rows[y].Values.Length; i++)
        {
            read(_rows[y].First + i, _row);
            var weight = _rows[y].Values[i];
            for (var x = 0; x < _sum.Length; x++) _sum[x] += weight * _row[x];
        }

        for (var x = 0; x < _columns.Length; x++)
        {
            var (first, values) = _columns[x];
            for (var channel = 0; channel < Channels; channel++)
            {
                var sum = 0f;
                for (var i = 0; i < values.Length; i++) sum += values[i] * _sum[(first + i) * Channels + channel];
                line[x * Channels + channel] = sum;
            }
        }
    }

    // For each place of the result: from where on it takes the picture's, and how much of each.
    static Weights[] Axis(int from, int to)
    {
        var scale = (double)to / from;
        var stretch = Math.Max(1, 1 / scale);
        var all = new Weights[to];
        for (var i = 0; i < to; i++)
        {
            var center = (i + 0.5) / scale;
            var (begin, end) = ((int)Math.Floor(center - Support * stretch), (int)Math.Ceiling(center + Support * stretch));
            var (first, last) = (Math.Clamp(begin, 0, from - 1), Math.Clamp(end, 0, from - 1));
            var weights = new double[last - first + 1];
            for (var at = begin; at <= end; at++)
            {
                var distance = Math.Abs(at + 0.5 - center) / stretch;
                weights[Math.Clamp(at, first, last) - first] += scale < 1 ? Mitchell(distance) : CatmullRom(distance);
            }

            var sum = weights.Sum();
            all[i] = new(first, [.. weights.Select(weight => (float)(weight / sum))]);
        }

        return all;
    }

    static double Mitchell(double x) => x switch
    {
        < 1 => (16 + x * x * (21 * x - 36)) / 18,
        < Support => (32 + x * (-60 + x * (36 - 7 * x))) / 18,
        _ => 0,
    };

    static double CatmullRom(double x) => x switch
    {
        < 1 => 1 - x * x * (2.5 - 1.5 * x),
        < Support => 2 - x * (4 + x * (0.5 * x - 2.5)),
        _ => 0,
    };

    readonly record struct Weights(int First, float[] Values);
}
