namespace Millrace.Bench.Programs;

/// <summary>A script for one of the programs.</summary>
/// <param name="Folder">Where the programs are.</param>
/// <param name="Program">The program's name.</param>
/// <param name="Script">What it gets on standard input.</param>
sealed record Work(string Folder, string Program, string Script)
{
    const string Python = "py";

    public string Name => $"{Program} {Path.GetFileNameWithoutExtension(Script)}";

    public string Module { get; init; } = Path.Combine(Folder, $"{Program}.wasm");

    public string Native { get; init; } = Path.Combine(Folder, Program);

    /// <summary>Python's: without its own search for more of itself.</summary>
    public string[] Arguments { get; init; } = Program == Python ? ["-S", "-"] : [];

    /// <summary>The native program's, where it has others.</summary>
    public string[]? NativeArguments { get; init; }

    /// <summary>A folder for reading that the guest finds as <c>/lib</c>; null for none.</summary>
    public string? Library { get; init; } = Program == Python ? Path.Combine(Folder, "python3.11", "Lib") : null;

    /// <summary>Where Python looks for it.</summary>
    public Dictionary<string, string> Environment => Program == Python
        ? new() { ["PYTHONHOME"] = "/", ["PYTHONPATH"] = "/lib" }
        : [];
}

/// <summary>What one run took, and what it printed.</summary>
readonly record struct ProgramSample(TimeSpan Cpu, string Output);

/// <summary>Something that runs the programs.</summary>
/// <param name="name">What results call it.</param>
abstract class ProgramEngine(string name) : IDisposable
{
    public string Name { get; } = name;

    /// <summary>Compiles and runs, with nothing kept from before; null where that says nothing.</summary>
    public virtual Task<ProgramSample?> RunFreshAsync(Work work, int number) => Task.FromResult<ProgramSample?>(null);

    /// <summary>Runs an instance of the module that was compiled before.</summary>
    public abstract Task<ProgramSample> RunAsync(Work work);

    public abstract void Dispose();
}
