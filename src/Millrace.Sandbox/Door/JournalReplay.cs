using Millrace.Sandbox.Limits;

namespace Millrace.Sandbox.Door;

/// <summary>The journal as it is gone through once more: what the guest does is compared with what it did.</summary>
sealed class JournalReplay(JournalPrefix journal, RunControl control)
{
    long _operations;
    int _deliveries;

    /// <summary>Whether the guest has learned again all that it had learned.</summary>
    public bool IsAtEnd => _deliveries == journal.Deliveries.Length;

    /// <summary>Whether it has also asked again all that it had asked.</summary>
    public bool IsPassed => IsAtEnd && _operations >= journal.Operations.Length;

    /// <summary>The next operation's journaled result, if it has one.</summary>
    public OperationResult? Start(long sequence, OperationRequest request)
    {
        _operations = sequence + 1;
        if (sequence >= journal.Operations.Length) return null;
        var journaled = journal.Operations[(int)sequence];
        if (journaled.Name == request.Name && journaled.Digest.Span.SequenceEqual(request.Digest()))
            return journaled.Result;
        throw control.Diverge(
            journaled.Name == request.Name
                ? $"operation {sequence} ({request.Name}) asks something else than the journal says"
                : $"operation {sequence} is {request.Name}; the journal says {journaled.Name}");
    }

    /// <summary>What the guest learned at this point.</summary>
    public Delivery Next() => journal.Deliveries[_deliveries++];

    public RunEndedException Diverge(Delivery recorded, string instead) => control.Diverge(
        $"at delivery {_deliveries - 1} the journal says {Text(recorded)}; the guest {instead}");

    /// <summary>Ends the run as diverged when the guest came to its end before its journal did.</summary>
    public void CheckEnded()
    {
        if (!IsPassed) control.Diverge("the guest ended before its journal did");
    }

    static string Text(Delivery delivery) => delivery.Kind == DeliveryKind.TimeOut
        ? "a time-out"
        : $"{delivery.Kind.ToString().ToLowerInvariant()} of operation {delivery.Sequence}";
}
