namespace Millrace.Fuzz;

/// <summary>The choices of one seed: the same seed makes the same module on every machine.</summary>
sealed class Choices(long seed)
{
    ulong _state = unchecked((ulong)seed * 0x9E3779B97F4A7C15) ^ 0xD1B54A32D192ED03;

    /// <summary>64 random bits (SplitMix64).</summary>
    public ulong Bits()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    public int Below(int limit) => (int)(Bits() % (uint)limit);

    public bool OneIn(int n) => Below(n) == 0;

    public T Of<T>(IReadOnlyList<T> list) => list[Below(list.Count)];
}
