using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Fourier transforms, an axis after the other, as products with matrices of sines and cosines.</summary>
static class Fourier
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("DFT", 7, c => Complex(c, isInverse: false)), new("IDFT", 7, c => Complex(c, isInverse: true)),
        new("RDFT", 9, FromReal), new("IRDFT", 9, ToReal),
    ];

    /// <summary>A complex tensor, its parts apart.</summary>
    sealed record Parts(string Real, string Imaginary);

    static string Complex(Conversion c, bool isInverse)
    {
        var (x, sizes, axes) = Read(c, c.RankOf(0) - 1);
        for (var i = 0; i < axes.Length; i++) x = Along(c, Fit(c, x, axes[i], sizes[i].From, sizes[i].To), axes[i], sizes[i].To, isInverse);
        return Joined(c, x);
    }

    // Of numbers the second half of the last axis mirrors the first, and is left out.
    static string FromReal(Conversion c)
    {
        var rank = c.RankOf(0);
        var (axes, sizes) = Axes(c, rank, axis => axis);
        var (last, size) = (axes[^1], sizes[^1]);
        var x = Fit(c, c.As(c.In(0), c.TypeOf(0), TensorType.F32), last, size.From, size.To);
        var half = size.To / 2 + 1;
        var parts = new Parts(
            Matrices.Along(c, x, rank, last, Table(c, size.To, half, Math.Cos, _ => 1)),
            Matrices.Along(c, x, rank, last, Table(c, size.To, half, Math.Sin, _ => -1)));
        for (var i = 0; i < axes.Length - 1; i++)
            parts = Along(c, Fit(c, parts, axes[i], sizes[i].From, sizes[i].To), axes[i], sizes[i].To, isInverse: false);
        return Joined(c, parts);
    }

    static string ToReal(Conversion c)
    {
        var rank = c.RankOf(0) - 1;
        var (x, sizes, axes) = Read(c, rank, last => 2 * (last - 1));
        for (var i = 0; i < axes.Length - 1; i++)
            x = Along(c, Fit(c, x, axes[i], sizes[i].From, sizes[i].To), axes[i], sizes[i].To, isInverse: true);
        var (axis, size) = (axes[^1], sizes[^1].To);
        var half = size / 2 + 1;
        x = Fit(c, x, axis, sizes[^1].From, half);
        // What mirrors another counts twice.
        double Weight(long at) => (at == 0 || 2 * at == size ? 1.0 : 2.0) / size;
        var real = Matrices.Along(c, x.Real, rank, axis, Table(c, half, size, Math.Cos, Weight, size));
        var other = Matrices.Along(c, x.Imaginary, rank, axis, Table(c, half, size, Math.Sin, Weight, size));
        return c.As(c.Sub(real, other), TensorType.F32, c.OutputType());
    }

    static (Parts X, (long From, long To)[] Sizes, int[] Axes) Read(Conversion c, int rank, Func<long, long>? whole = null)
    {
        if (c.SizesOf(0)[^1] != 2) throw c.Layer.Malformed("its last axis is not real and imaginary part");
        var (axes, sizes) = Axes(c, rank, whole ?? (size => size));
        var x = c.As(c.In(0), c.TypeOf(0), TensorType.F32);
        string Part(int at) => c.Squeeze(c.Slice(x, rank, at, at + 1), rank);
        return (new(Part(0), Part(1)), sizes, axes);
    }

    // Which axes, how long they are, and how long they are made before they are transformed.
    static (int[] Axes, (long From, long To)[] Sizes) Axes(Conversion c, int rank, Func<long, long> whole)
    {
        if (!Conversion.IsFloat(c.TypeOf(0))) throw c.Layer.Refused($"on {c.TypeOf(0)}");
        int[] axes = [.. c.IntsOf(1).Select(axis => c.Axis(axis, rank))];
        if (axes.Length == 0 || axes.Distinct().Count() != axes.Length) throw c.Layer.Malformed("its axes are none, or one twice");
        var wanted = c.Has(2) ? c.IntsOf(2) : [.. axes.Select(_ => -1L)];
        if (wanted.Length != axes.Length) throw c.Layer.Malformed($"{wanted.Length} sizes for {axes.Length} axes");
        var sizes = new (long From, long To)[axes.Length];
        for (var i = 0; i < axes.Length; i++)
        {
            var size = c.SizesOf(0)[axes[i]];
            if (size < 0) throw c.Layer.Refused("along an open size");
            sizes[i] = (size, wanted[i] >= 0 ? wanted[i] : i == axes.Length - 1 ? whole(size) : size);
            if (sizes[i].To < 1) throw c.Layer.Malformed($"it transforms {sizes[i].To} places");
            c.Bounded(c.Bounded(sizes[i].To) * sizes[i].To);
        }

        return (axes, sizes);
    }

    static Parts Along(Conversion c, Parts x, int axis, long size, bool isInverse)
    {
        var rank = c.Layer.Type is "RDFT" ? c.RankOf(0) : c.RankOf(0) - 1;
        double Weight(long at) => isInverse ? 1.0 / size : 1;
        var (cosines, sines) = (Table(c, size, size, Math.Cos, Weight), Table(c, size, size, Math.Sin, Weight));
        string By(string part, string table) => Matrices.Along(c, part, rank, axis, table);
        var (a, b) = (By(x.Real, sines), By(x.Imaginary, sines));
        var (real, imaginary) = (By(x.Real, cosines), By(x.Imaginary, cosines));
        return isInverse
            ? new(c.Sub(real, b), c.Add(imaginary, a)) : new(c.Add(real, b), c.Sub(imaginary, a));
    }

    static string Table(Conversion c, long rows, long columns, Func<double, double> wave, Func<long, double> weight, long period = 0)
    {
        var (numbers, length) = (new double[rows * columns], period == 0 ? rows : period);
        for (long row = 0; row < rows; row++)
        {
            for (long column = 0; column < columns; column++)
                numbers[row * columns + column] = weight(row) * wave(2 * Math.PI * (row * column % length) / length);
        }

        return c.Constant(TensorType.F32, [rows, columns], numbers);
    }

    static Parts Fit(Conversion c, Parts x, int axis, long from, long to) =>
        new(Fit(c, x.Real, axis, from, to), Fit(c, x.Imaginary, axis, from, to));

    // Longer ones are cut off, shorter ones filled with zeros.
    static string Fit(Conversion c, string x, int axis, long from, long to)
    {
        if (from > to) return c.Slice(x, axis, 0, to);
        return from == to ? x : c.Op("Pad", [x, c.Ints(0, to - from), "", c.Ints(axis)]);
    }

    static string Joined(Conversion c, Parts x) =>
        c.As(c.Concat(-1, c.Unsqueeze(x.Real, -1), c.Unsqueeze(x.Imaginary, -1)), TensorType.F32, c.OutputType());
}
