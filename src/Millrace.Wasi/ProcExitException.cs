namespace Millrace.Wasi;

/// <summary>The guest called <c>proc_exit</c>. Passes through the guest's frames and ends its execution.</summary>
/// <param name="code">The exit code, as given.</param>
public sealed class ProcExitException(int code) : Exception($"the guest ended with exit code {code}")
{
    /// <summary>The exit code, as given.</summary>
    public int Code { get; } = code;
}
