namespace Millrace.Flows;

/// <summary>Where a run is.</summary>
public enum RunState : byte
{
    /// <summary>Waits for its turn in its partition, or for a slot.</summary>
    Queued = 0,
    /// <summary>Leased by a node, which executes it or settles its writes.</summary>
    Running = 1,
    /// <summary>Has an outcome.</summary>
    Ended = 2,
}

/// <summary>How a run ended: a closed list.</summary>
public enum RunOutcome : byte
{
    /// <summary>Exit code 0; standard output is the result.</summary>
    Completed = 0,
    /// <summary>A later event of its partition took its place.</summary>
    Superseded = 1,
    /// <summary>Cancelled by a person.</summary>
    Cancelled = 2,
    /// <summary>A person refused its approval.</summary>
    Rejected = 3,
    /// <summary>Worker, node or host were short of something, five times without a new journal row.</summary>
    Lost = 4,
    /// <summary>Any other exit code.</summary>
    Failed = 5,
    /// <summary>The guest trapped.</summary>
    Trapped = 6,
    /// <summary>The guest needed more memory than its limit.</summary>
    OutOfMemory = 7,
    /// <summary>The instruction budget is used up.</summary>
    OutOfFuel = 8,
    /// <summary>Wall or CPU time is used up.</summary>
    TimedOut = 9,
    /// <summary>It failed after an operation was refused for the budget.</summary>
    OverBudget = 10,
    /// <summary>Executed again, it did something else than its journal says.</summary>
    Diverged = 11,
}

/// <summary>Where an operation is.</summary>
public enum OperationState : byte
{
    /// <summary>Asked, no result yet.</summary>
    Open = 0,
    /// <summary>A write that may be sent from here on.</summary>
    Intended = 1,
    /// <summary>Has a result.</summary>
    Done = 2,
    /// <summary>Has an error result.</summary>
    Error = 3,
    /// <summary>Broken off.</summary>
    Cancelled = 4,
    /// <summary>A write that was surely not applied and never will be.</summary>
    Withdrawn = 5,
    /// <summary>A write whose fate nobody knows; <c>runs resolve</c> decides.</summary>
    Unknown = 6,
}
