using System.Collections.Immutable;

namespace Millrace.Flows.Storage;

/// <summary>The keys of flows. A version is never used again, not even after a deletion.</summary>
static class SqliteKeys
{
    public static KvAnswer Change(SqliteSession session, KvChange change)
    {
        var present = (long?)session.Value(
            "SELECT version FROM keys WHERE scope=$1 AND key=$2", change.Scope, change.Key) ?? 0;
        if (change.IfVersion is { } expected && expected != present) return new(false, present, present != 0);
        if (change.Value is null)
        {
            session.Run("DELETE FROM keys WHERE scope=$1 AND key=$2", change.Scope, change.Key);
            return new(true, 0, present != 0);
        }
        var version = (long)session.Value(
            "UPDATE counters SET value=value+1 WHERE name='key version' RETURNING value")!;
        var (value, hash) = session.Split(change.Value);
        session.Run(
            "INSERT INTO keys(scope, key, version, value, value_hash) VALUES($1, $2, $3, $4, $5) "
            + "ON CONFLICT(scope, key) DO UPDATE SET version=excluded.version, value=excluded.value, "
            + "value_hash=excluded.value_hash",
            change.Scope, change.Key, version, value, hash);
        return new(true, version, present != 0);
    }

    public static KvValue? Get(SqliteSession session, string scope, string key) => session.First<KvValue?>(
        "SELECT version, value, value_hash FROM keys WHERE scope=$1 AND key=$2",
        row => new KvValue(row.GetInt64(0), session.Join(row.Bytes(1), row.Bytes(2))), scope, key);

    public static ImmutableArray<string> List(
        SqliteSession session, string scope, string prefix, string? after, int limit) =>
    [
        .. session.All(
            "SELECT key FROM keys WHERE scope=$1 AND substr(key, 1, length($2))=$2 AND key>$3 ORDER BY key LIMIT $4",
            row => row.GetString(0), scope, prefix, after ?? "", limit),
    ];
}
