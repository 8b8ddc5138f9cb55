using Millrace.Sandbox.Door;
using Millrace.Wasi;

namespace Millrace.Sandbox.Determinism;

/// <summary>Time and chance of a run in flow mode.</summary>
sealed class FlowSystem(FlowClock clock, SeedStream random, RunDoor door) : IWasiSystem
{
    public long ReadClock(WasiClock kind) => clock.Read();

    public long ClockResolution(WasiClock kind) => 1_000;

    public void FillRandom(Span<byte> buffer) => random.Fill(buffer);

    public bool Sleep(ulong nanoseconds) => door.Sleep(nanoseconds);
}
