namespace Millrace.Flows;

/// <summary>A manifest or its package is not as it must be. The message names file, line and column.</summary>
/// <param name="file">Path inside the package, or the folder.</param>
/// <param name="line">From 1; 0 when the fault has no place in the text.</param>
/// <param name="column">From 1; 0 when the fault has no place in the text.</param>
/// <param name="problem">One sentence for the person who wrote it.</param>
public sealed class ManifestException(string file, int line, int column, string problem)
    : Exception(line == 0 ? $"{file}: {problem}" : $"{file}:{line}:{column}: {problem}")
{
    /// <summary>Path inside the package, or the folder.</summary>
    public string File { get; } = file;

    /// <summary>From 1; 0 when the fault has no place in the text.</summary>
    public int Line { get; } = line;

    /// <summary>From 1; 0 when the fault has no place in the text.</summary>
    public int Column { get; } = column;

    /// <summary>The sentence without the place.</summary>
    public string Problem { get; } = problem;
}
