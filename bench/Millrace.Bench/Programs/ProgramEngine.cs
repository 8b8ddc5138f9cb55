namespace Millrace.Bench.Programs;

/// <summary>A script for one of the programs.</summary>
/// <param name="Program">The program's name: its module is <c>NAME.wasm</c>, its native build <c>NAME</c>.</param>
/// <param name="Script">What it gets on standard input.</param>
sealed record Work(string Program, string Script)
{
    public string Name => $"{Program} {Path.GetFileNameWithoutExtension(Script)}";
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
