using Millrace.Sandbox;

namespace Millrace.Flows.Execution;

/// <summary>One execution of a guest, in process or in a worker.</summary>
interface IGuest
{
    /// <summary>Runs on this thread until the guest ends.</summary>
    RunEnd Execute();

    /// <summary>Hands over a result, from any thread.</summary>
    void Complete(long sequence, OperationResult result);

    /// <summary>Ends the execution, from any thread.</summary>
    void Stop();
}

/// <summary>Prepares an execution of a package's module.</summary>
delegate Task<IGuest> GuestFactory(Deployed deployed, RunRequest request, IRunHost host);
