using Millrace.Sandbox;

namespace Millrace.Flows.Execution;

/// <summary>A guest in this process.</summary>
sealed class SandboxGuest(SandboxRun run) : IGuest
{
    public RunEnd Execute() => run.Execute();

    public void Complete(long sequence, OperationResult result) => run.Complete(sequence, result);

    public void Stop() => run.Stop();
}

/// <summary>A guest in a worker process.</summary>
sealed class WorkerGuest(WorkerRun run) : IGuest
{
    public RunEnd Execute() => run.Execute();

    public void Complete(long sequence, OperationResult result) => run.Complete(sequence, result);

    public void Stop() => run.Stop();
}
