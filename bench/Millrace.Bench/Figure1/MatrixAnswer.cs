namespace Millrace.Bench.Figure1;

/// <summary>What one row of the figure took, and sums of the result's first row and of all rows that it computed.</summary>
readonly record struct MatrixAnswer(TimeSpan Time, long FirstRow, long All);
