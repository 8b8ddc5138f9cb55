namespace Millrace.Bench.Kernels;

/// <summary>What one call of a kernel took, and what it returned.</summary>
readonly record struct KernelSample(TimeSpan Cpu, ulong Sum);

/// <summary>Something that runs the kernels.</summary>
/// <param name="name">What results call it.</param>
abstract class KernelEngine(string name) : IDisposable
{
    public string Name { get; } = name;

    public abstract Task<KernelSample> RunAsync(string kernel, int rounds);

    public abstract void Dispose();
}
