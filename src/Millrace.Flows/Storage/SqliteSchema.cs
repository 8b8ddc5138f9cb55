namespace Millrace.Flows.Storage;

/// <summary>
/// The tables, and the way from any earlier version of them. <c>PRAGMA user_version</c> holds the version.
/// </summary>
static class SqliteSchema
{
    /// <summary>Each entry leads from the version of its index to the next. Never edited, only added to.</summary>
    static readonly string[] Migrations =
    [
        """
        CREATE TABLE blobs(hash BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL);

        CREATE TABLE packages(
          name TEXT NOT NULL, version INTEGER NOT NULL, kind INTEGER NOT NULL, digest BLOB NOT NULL,
          files TEXT NOT NULL, deployed_ms INTEGER NOT NULL,
          PRIMARY KEY(kind, name, version)) WITHOUT ROWID;

        CREATE TABLE events(
          id INTEGER PRIMARY KEY, source TEXT NOT NULL, delivery_id TEXT NOT NULL, type TEXT NOT NULL,
          envelope TEXT NOT NULL, body BLOB, body_hash BLOB, received_ms INTEGER NOT NULL,
          UNIQUE(source, delivery_id));

        CREATE TABLE runs(
          number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, event INTEGER,
          parent INTEGER, parent_branch INTEGER, parent_sequence INTEGER,
          name TEXT NOT NULL, version INTEGER NOT NULL, operation TEXT, connection TEXT,
          mode INTEGER NOT NULL DEFAULT 0, branch INTEGER NOT NULL DEFAULT 0,
          partition TEXT, rank INTEGER NOT NULL DEFAULT 1,
          state INTEGER NOT NULL, stop INTEGER NOT NULL DEFAULT 0,
          outcome INTEGER, exit_code INTEGER NOT NULL DEFAULT 0, message TEXT NOT NULL DEFAULT '',
          attempts INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0,
          rows_at_lease INTEGER NOT NULL DEFAULT 0, due_ms INTEGER NOT NULL DEFAULT 0,
          lease_owner TEXT, lease_until_ms INTEGER, former_lease_ms INTEGER,
          seed BLOB NOT NULL, created_ms INTEGER NOT NULL, started_ns INTEGER, attempt_ns INTEGER,
          wall_used_ms INTEGER NOT NULL DEFAULT 0, ended_ms INTEGER,
          respond_status INTEGER, respond_headers TEXT, failure_of TEXT,
          cpu_ms INTEGER NOT NULL DEFAULT 0, memory_peak INTEGER NOT NULL DEFAULT 0);
        CREATE INDEX runs_live ON runs(state, rank, number) WHERE state < 2;
        CREATE INDEX runs_partition ON runs(name, partition, state) WHERE state < 2 AND partition IS NOT NULL;
        CREATE INDEX runs_parent ON runs(parent, parent_sequence) WHERE parent IS NOT NULL;
        CREATE INDEX runs_event ON runs(event) WHERE event IS NOT NULL;

        CREATE TABLE operations(
          run INTEGER NOT NULL, branch INTEGER NOT NULL, sequence INTEGER NOT NULL,
          name TEXT NOT NULL, digest BLOB NOT NULL, kind INTEGER NOT NULL, state INTEGER NOT NULL,
          head BLOB, head_hash BLOB, body BLOB, body_hash BLOB,
          result_state INTEGER, result_head BLOB, result_head_hash BLOB, result_body BLOB, result_body_hash BLOB,
          completed_ns INTEGER, labels TEXT NOT NULL DEFAULT '',
          tokens INTEGER NOT NULL DEFAULT 0, reserved INTEGER NOT NULL DEFAULT 0, cost INTEGER NOT NULL DEFAULT 0,
          asks INTEGER NOT NULL DEFAULT 0, rounds INTEGER NOT NULL DEFAULT 0,
          started_ns INTEGER NOT NULL, duration_ms INTEGER NOT NULL DEFAULT 0,
          UNIQUE(run, branch, sequence));

        CREATE TABLE deliveries(
          run INTEGER NOT NULL, branch INTEGER NOT NULL, position INTEGER NOT NULL,
          kind INTEGER NOT NULL, sequence INTEGER NOT NULL, at_ns INTEGER NOT NULL,
          PRIMARY KEY(run, branch, position)) WITHOUT ROWID;

        CREATE TABLE outputs(
          run INTEGER NOT NULL, stream INTEGER NOT NULL, offset INTEGER NOT NULL, bytes BLOB NOT NULL,
          at_ms INTEGER NOT NULL, UNIQUE(run, stream, offset));

        CREATE TABLE keys(
          scope TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, value BLOB, value_hash BLOB,
          UNIQUE(scope, key));
        CREATE TABLE counters(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO counters VALUES('key version', 0);
        """,
    ];

    /// <summary>The version that this build writes.</summary>
    public static int Version => Migrations.Length;

    /// <summary>Brings a database to <see cref="Version"/>, each step in one transaction.</summary>
    public static void Migrate(SqliteSession session)
    {
        var version = (int)(long)session.Value("PRAGMA user_version")!;
        if (version > Version)
        {
            throw new PlatformException(PlatformError.DatabaseTooNew,
                $"millrace.db has schema {version}, this Millrace knows up to {Version}: install the later one.");
        }
        for (; version < Version; version++)
        {
            session.Execute("BEGIN IMMEDIATE");
            session.Execute(Migrations[version]);
            session.Execute($"PRAGMA user_version={version + 1}");
            session.Execute("COMMIT");
        }
    }
}
