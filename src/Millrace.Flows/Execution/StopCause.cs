namespace Millrace.Flows.Execution;

/// <summary>Why the host ended an execution.</summary>
enum StopCause : byte
{
    None,
    /// <summary>By a person.</summary>
    Cancelled,
    Superseded,
    /// <summary>A planned stop of the server; goes on later, from the journal.</summary>
    Shutdown,
    /// <summary>The host is short of something; goes on from the journal.</summary>
    Lost,
    /// <summary>Its worker is gone; goes on from the journal, once what it paid for or sent has its answer.</summary>
    WorkerLost,
    /// <summary>The store keeps nothing just now, as on a full disk; goes on later, from the journal.</summary>
    Unstored,
    /// <summary>It did something else than its journal says.</summary>
    Diverged,
    /// <summary>A child run whose write got no answer.</summary>
    InDoubt,
    /// <summary>A child run whose caller does not want the answer any more.</summary>
    BrokenOff,
}
