namespace Millrace.Sandbox;

/// <summary>Which of the guest's streams.</summary>
public enum OutputStream : byte
{
    /// <summary>Standard output: the result.</summary>
    Result = 1,
    /// <summary>Standard error: the log.</summary>
    Log = 2,
}

/// <summary>
/// The host's side of the border at which the worker process stands. The sandbox calls it on the guest's thread, or in
/// the host on the run's, in the order in which things happened; the host answers through
/// <see cref="SandboxRun.Complete"/> or <see cref="WorkerRun.Complete"/> from any thread. The host treats the sandbox
/// as hostile: it checks grants, sequence and digest itself.
/// </summary>
public interface IRunHost
{
    /// <summary>
    /// The guest started an operation that has no journaled result. Sequences come in order; while a run is executed
    /// again they may name operations that the journal already holds as open.
    /// </summary>
    void Start(long sequence, OperationRequest request);

    /// <summary>The guest learned something, or cancelled; in order, only past the journal's end.</summary>
    void Deliver(Delivery delivery);

    /// <summary>
    /// The guest wrote. <paramref name="offset"/> counts from the run's first byte of that stream, so that bytes
    /// already stored can be dropped when a run is executed again.
    /// </summary>
    void Write(OutputStream stream, long offset, ReadOnlySpan<byte> bytes);

    /// <summary>
    /// The guest blocks in <c>wait</c> from here until <see cref="EndWait"/>: it needs no execution slot. Called only
    /// when nothing is ready, also while a run is executed again.
    /// </summary>
    /// <param name="sequences">The operations that it waits for; empty: it waits a time-out out.</param>
    void BeginWait(ReadOnlySpan<long> sequences);

    /// <summary>The guest goes on; returns once there is a slot for it.</summary>
    void EndWait();
}
