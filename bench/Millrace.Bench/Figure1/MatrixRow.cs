namespace Millrace.Bench.Figure1;

/// <summary>A row of the figure.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Rows">Rows of the result that it computes; the first ones.</param>
/// <param name="Run">Computes so many.</param>
sealed record MatrixRow(string Name, int Rows, Func<int, Task<MatrixAnswer>> Run)
{
    readonly Samples _samples = new();

    /// <summary>Whether it runs here, under this project's engine or as its language.</summary>
    public bool IsOurs { get; init; }

    /// <summary>Whether it stands in the figure, or only beside it.</summary>
    public bool IsAside { get; init; }

    public void Add(TimeSpan sample) => _samples.Add(sample);

    /// <summary>Seconds for all rows.</summary>
    public double Seconds(int n) => _samples.P50Ms / 1000 * n / Rows;

    public double Gflops(int n) => 2.0 * n * n * n / Seconds(n) / 1e9;
}
