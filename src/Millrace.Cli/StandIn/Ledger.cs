using System.Collections.Immutable;

namespace Millrace.Cli.StandIn;

/// <summary>One request as a far server saw it.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Path with query.</param>
/// <param name="Body">Body bytes.</param>
/// <param name="Status">Status answered; 0 where the connection was cut instead.</param>
sealed record LedgerEntry(string Method, string Path, ImmutableArray<byte> Body, int Status);

/// <summary>A far server's own record of what it was asked. Thread-safe; never read by the platform.</summary>
sealed class Ledger
{
    readonly Lock _lock = new();
    readonly List<LedgerEntry> _entries = [];

    public ImmutableArray<LedgerEntry> Entries
    {
        get { lock (_lock) return [.. _entries]; }
    }

    public void Add(LedgerEntry entry)
    {
        lock (_lock) _entries.Add(entry);
    }
}
