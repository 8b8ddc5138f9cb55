namespace Millrace.Sandbox;

/// <summary>
/// The worker that executed a run is gone, or was never there. Nothing is known about the guest; the run goes on from
/// its journal in another worker.
/// </summary>
public sealed class WorkerLostException(string message) : Exception(message);
