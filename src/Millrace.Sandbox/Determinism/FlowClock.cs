namespace Millrace.Sandbox.Determinism;

/// <summary>
/// The one clock of a run: where the last delivery set it, and a microsecond on with every reading. It depends on
/// what the guest learned and did, and on nothing else.
/// </summary>
sealed class FlowClock(long startedAtNs)
{
    const long StepNs = 1_000;

    /// <summary>What the next reading will be.</summary>
    public long NextNs { get; private set; } = startedAtNs;

    public long Read()
    {
        var now = NextNs;
        NextNs += StepNs;
        return now;
    }

    /// <summary>When something known at a time is delivered: then, or now if later. Clocks never go back.</summary>
    public long DeliveryAt(long completedAtNs) => Math.Max(NextNs, completedAtNs);

    public void MoveTo(long atNs) => NextNs = Math.Max(NextNs, atNs);
}
