namespace Millrace.Sandbox.Door;

/// <summary>One operation that the guest has started and not yet taken.</summary>
/// <param name="sequence">Its place in the run, or -1 for what the door refused by itself.</param>
/// <param name="request">What was asked.</param>
sealed class Operation(long sequence, OperationRequest request)
{
    /// <summary>Of an operation that the door refused by itself: the guest's own doing, so it is not journaled.</summary>
    public const long NoSequence = -1;

    public long Sequence { get; } = sequence;

    public OperationRequest Request { get; } = request;

    public OperationResult? Result { get; private set; }

    /// <summary>Results in the order in which they came; what came first is delivered first.</summary>
    public long Arrival { get; private set; }

    /// <summary>Whether the guest knows: a wait answered with it, or it was refused at once.</summary>
    public bool IsAnnounced { get; set; }

    public bool IsCancelled { get; set; }

    public int RequestBytes => Request.Head.Length + Request.Body.Length;

    public void Answer(OperationResult result, long arrival) => (Result, Arrival) = (result, arrival);
}
