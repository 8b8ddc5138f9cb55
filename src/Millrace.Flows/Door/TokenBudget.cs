namespace Millrace.Flows.Door;

/// <summary>Tokens of a run and its child runs: reserved before an operation, settled after it.</summary>
sealed class TokenBudget(long limit, long used)
{
    readonly Lock _lock = new();
    long _used = used;
    long _reserved;

    /// <summary>Whether an operation was refused for it.</summary>
    public bool HasRefused { get; private set; }

    public bool TryReserve(long tokens)
    {
        lock (_lock)
        {
            if (_used + _reserved + tokens > limit)
            {
                HasRefused = true;
                return false;
            }
            _reserved += tokens;
            return true;
        }
    }

    public void Settle(long reserved, long used)
    {
        lock (_lock)
        {
            _reserved -= reserved;
            _used += used;
        }
    }
}
